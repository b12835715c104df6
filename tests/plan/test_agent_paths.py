"""Who may read what: paths, policies and roles of every environment and service, pair by pair."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import pytest

import finance_report
from infra.model.environment import Environment
from infra.model.environments import environment
from infra.model.errors import BadInput
from infra.plan.agent import policy_text, role_name, secret_path, shared_path
from infra.workspace import templates

TEMPLATES = templates.load(Path(__file__).parents[2])
PROJECT = finance_report.PROJECT.name
SERVICES = [service.name for service in finance_report.PROJECT.services if service.secrets]
VAULTED = [environment(name) for name in ("staging", "production", "canary", "pr_4", "pr_47", "pr_474")]
PLACES = [(where, service) for where in VAULTED for service in SERVICES]
OWN_TOKEN = {
    "auth/token/lookup-self": ["read"],
    "auth/token/renew-self": ["update"],
    "auth/token/revoke-self": ["update"],
}


def rules(where: Environment, service: str) -> dict[str, list[str]]:
    """Give what a policy's text grants: paths as they are written, and their capabilities."""
    text = policy_text(service, where, PROJECT, "secret", TEMPLATES)
    found = re.findall(r'^path "([^"]+)" \{\n  capabilities = \[([^\]]*)\]\n\}$', text, re.MULTILINE)
    assert len(found) == text.count("path "), "each rule is read"
    return {path: re.findall(r'"(\w+)"', words) for path, words in found}


def opens(where: Environment, service: str, path: str) -> bool:
    """Tell whether a policy covers a path, as the server matches: `+` is one segment, `*` any end."""
    return any(_matches(written, path) for written in rules(where, service))


def _matches(written: str, path: str) -> bool:
    assert "*" not in written
    wanted, given = written.split("/"), path.split("/")
    return len(wanted) == len(given) and all(
        mine in {"+", yours} for mine, yours in zip(wanted, given, strict=True)
    )


def is_preview(where: Environment) -> bool:
    return where.name.startswith("pr_")


def test_each_service_of_each_environment_reads_its_own_path() -> None:
    closed = [
        (where.name, service)
        for where, service in PLACES
        for kind in ("data", "metadata")
        if not opens(
            where, service, secret_path(PROJECT, where, service, "secret").replace("/data/", f"/{kind}/")
        )
    ]
    assert closed == []


def test_no_two_services_and_no_two_environments_share_a_path_but_previews_among_themselves() -> None:
    pairs = [
        (mine, other)
        for mine in PLACES
        for other in PLACES
        if mine != other and opens(*mine, secret_path(PROJECT, *other, "secret"))
    ]
    unexpected = [
        (mine, other)
        for mine, other in pairs
        if not (is_preview(mine[0]) and is_preview(other[0]) and mine[1] == other[1])
    ]
    assert unexpected == []
    assert len(pairs) == 6 * len(SERVICES), "three previews read each other, service by service"


def test_no_two_places_have_the_same_path_or_outside_of_previews_the_same_role() -> None:
    paths = {secret_path(PROJECT, *place, "secret") for place in PLACES}
    assert len(paths) == len(PLACES)
    shared = [
        (mine, other)
        for mine, other in combinations(PLACES, 2)
        if role_name(PROJECT, *mine) == role_name(PROJECT, *other)
    ]
    assert all(is_preview(a) and is_preview(b) and one == two for (a, one), (b, two) in shared)


@pytest.mark.parametrize("name", ["staging", "production", "canary"])
def test_the_policy_of_an_environment_is_two_paths_and_its_own_token(name: str) -> None:
    assert rules(environment(name), "app") == {
        f"secret/data/finance_report/{name}/app": ["read"],
        f"secret/metadata/finance_report/{name}/app": ["read"],
        **OWN_TOKEN,
    }


def test_every_preview_has_the_same_policy_which_opens_the_keys_that_all_share() -> None:
    assert rules(environment("pr_47"), "app") == {
        "secret/data/finance_report/preview/+/app": ["read"],
        "secret/metadata/finance_report/preview/+/app": ["read"],
        "secret/data/finance_report/preview/_shared/app": ["read"],
        "secret/metadata/finance_report/preview/_shared/app": ["read"],
        **OWN_TOKEN,
    }
    texts = {
        policy_text("app", environment(f"pr_{n}"), PROJECT, "secret", TEMPLATES) for n in (1, 47, 999999)
    }
    assert len(texts) == 1
    assert opens(environment("pr_1"), "app", shared_path(PROJECT, "app", "secret"))


def test_no_policy_opens_the_records_that_we_keep_ourselves() -> None:
    opened = [
        (where.name, service)
        for where, service in PLACES
        for kind in ("data", "metadata")
        for record in ("lease", service, f"{service}/derived", f"{service}/d-1")
        if opens(where, service, f"secret/{kind}/{PROJECT}/{where.store_path}/_state/{record}")
    ]
    assert opened == []


def test_roles_are_named_by_project_zone_and_service_in_lower_case() -> None:
    names = {(where.name, role_name(PROJECT, where, "app")) for where in VAULTED}
    assert names == {
        ("staging", "finance_report-staging-app"),
        ("production", "finance_report-production-app"),
        ("canary", "finance_report-canary-app"),
        *((f"pr_{number}", "finance_report-preview-app") for number in (4, 47, 474)),
    }


@pytest.mark.parametrize("service", ["App", "*", "+", "app/x", "_shared", "_state", "", "app ", '"', "äpp"])
def test_a_name_that_the_server_would_change_or_read_as_more_is_refused(service: str) -> None:
    staging = environment("staging")
    with pytest.raises(BadInput):
        role_name(PROJECT, staging, service)
    with pytest.raises(BadInput):
        secret_path(PROJECT, staging, service, "secret")
    with pytest.raises(BadInput):
        policy_text(service, staging, PROJECT, "secret", TEMPLATES)


@pytest.mark.parametrize(("project", "mount"), [("Finance", "secret"), ("finance", "sec/ret"), ("a", "*")])
def test_project_and_mount_are_words_too(project: str, mount: str) -> None:
    with pytest.raises(BadInput):
        secret_path(project, environment("staging"), "app", mount)


def test_no_service_takes_the_name_of_the_deployers_policy() -> None:
    with pytest.raises(BadInput):
        role_name(PROJECT, environment("staging"), "deployer")
