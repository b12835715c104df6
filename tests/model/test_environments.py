"""What an environment is, and which one a name means."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.model.environments import canonical, choose, domain_form, domain_suffix, env_suffix, environment
from infra.model.errors import BadInput
from infra.model.naming import Names
from tests.model.yaml_cases import cases

FACTS = cases("environments", "facts")
NAMES = Names("finance_report")
COMPUTED = {
    "limits",
    "gate",
    "containers",
    "object_store",
    "agent",
    "database",
    "database_elsewhere",
    "bucket",
    "bucket_elsewhere",
}


@pytest.mark.parametrize(("name", "facts"), FACTS)
def test_each_environment_has_the_facts_of_the_table(name: str, facts: dict[str, Any]) -> None:
    found = environment(name)
    expected = {key: value for key, value in facts.items() if key not in COMPUTED}
    assert {key: _plain(getattr(found, key)) for key in expected} == expected
    assert [*dataclasses.astuple(found.checkpoints)] == facts["limits"]
    assert [found.interval(0), found.interval(60), found.watch_seconds] == facts["gate"]
    assert found.interval(59.9) == found.gate_interval


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize(("name", "facts"), FACTS)
def test_containers_are_named_as_in_the_table_and_absent_where_it_says_none(
    name: str, facts: dict[str, Any]
) -> None:
    found = environment(name)
    parts = ("backend", "frontend", "postgres", "redis")
    assert [NAMES.container(part, found) for part in parts] == facts["containers"]
    assert NAMES.container("minio", found) == facts["object_store"]
    assert NAMES.agent("app", found) == facts["agent"]


@pytest.mark.parametrize(("name", "facts"), FACTS)
def test_database_and_bucket_follow_the_environment_and_the_checkout(
    name: str, facts: dict[str, Any]
) -> None:
    found = environment(name)
    assert NAMES.database(found, "feature_auth") == facts["database_elsewhere"]
    assert NAMES.bucket(found, "feature_auth") == facts["bucket_elsewhere"]
    if facts["database"]:
        assert NAMES.database(found) == facts["database"]
        assert NAMES.bucket(found) == facts["bucket"]


@pytest.mark.parametrize("ask", [NAMES.database, NAMES.bucket])
def test_a_test_run_without_a_namespace_gets_no_shared_database_or_bucket(ask: Any) -> None:
    with pytest.raises(BadInput, match="local_ci needs a namespace"):
        ask(environment("local_ci"))


@pytest.mark.parametrize("name", [name for name, _ in FACTS])
def test_the_checkpoints_limits_add_up_to_the_health_deadline(name: str) -> None:
    found = environment(name)
    limits = found.checkpoints
    assert limits.secrets + limits.migrations + limits.server == found.health_deadline


@pytest.mark.parametrize(("name", "facts"), FACTS)
def test_deployed_environments_end_their_names_in_the_computed_suffix(
    name: str, facts: dict[str, Any]
) -> None:
    found = environment(name)
    suffixes = (env_suffix(name), domain_suffix(name)) if facts["is_deployed"] else ("", "")
    assert (found.suffix, found.domain_suffix) == suffixes


def test_no_two_environments_share_a_container_a_store_path_or_a_host_suffix() -> None:
    deployed = [environment(name) for name in ("production", "staging", "canary", "pr_4", "pr_47", "pr_470")]
    for names in (
        {NAMES.container("backend", one) for one in deployed},
        {NAMES.agent("app", one) for one in deployed},
        {one.store_path for one in deployed},
        {one.secrets_file for one in deployed},
        {one.domain_suffix for one in deployed},
        {one.tag for one in deployed},
    ):
        assert len(names) == len(deployed)


def test_only_production_asks_for_consent_and_no_table_names_a_project() -> None:
    assert [name for name, _ in FACTS if environment(name).asks_consent] == ["production"]
    assert not any("finance" in str(environment(name)) for name, _ in FACTS)
    assert Names("ledger").bucket(environment("staging")) == "ledger-staging"


def test_facts_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        environment("local").suffix = "-x"  # type: ignore[misc]  # the point of the test


@pytest.mark.parametrize(("name", "exact"), cases("environments", "names"))
def test_a_name_is_stripped_lowered_and_freed_of_aliases(name: str, exact: str) -> None:
    assert environment(name).name == canonical(name) == exact


@pytest.mark.parametrize(("name", "words"), cases("environments", "refused"))
def test_any_other_name_is_refused_with_the_allowed_ones(name: str, words: str) -> None:
    for resolve in (environment, env_suffix, domain_suffix, domain_form):
        with pytest.raises(BadInput) as refusal:
            resolve(name)
        assert words in refusal.value.message
        assert "local, local_ci, github_ci, pr_<N>, canary, staging, production" in refusal.value.message
        assert refusal.value.next_step


@given(st.text() | st.from_regex(r"\A\s*(?i:pr[-_]?\d*|prod\w*)\s*\Z"))
def test_what_is_accepted_is_one_of_the_allowed_names(name: str) -> None:
    try:
        exact = environment(name).name
    except BadInput:
        return
    assert exact.isascii()
    assert exact in dict(FACTS) or 1 <= int(exact.removeprefix("pr_")) <= 999_999
    assert exact != "production" or name.strip().lower() in {"prod", "production"}


@given(st.integers(1, 999_999), st.integers(1, 999_999))
def test_two_previews_share_nothing(one: int, other: int) -> None:
    first, second = environment(f"pr_{one}"), environment(f"pr-{other}")
    assert (first == second) == (one == other)
    assert (first.suffix == second.suffix) == (one == other)


@pytest.mark.parametrize(("name", "suffix"), cases("environments", "suffixes"))
def test_suffixes_are_a_hyphen_and_the_domain_form_but_for_production(name: str, suffix: str) -> None:
    assert env_suffix(name) == domain_suffix(name) == suffix


@pytest.mark.parametrize(("explicit", "deploy_env", "default", "chosen"), cases("environments", "choice"))
def test_env_wins_over_deploy_env_and_that_over_the_default(
    explicit: str | None, deploy_env: str | None, default: str, chosen: str
) -> None:
    assert choose(explicit, deploy_env, default) == chosen


@pytest.mark.parametrize(("explicit", "deploy_env", "default"), cases("environments", "not_chosen"))
def test_production_is_never_chosen_by_default_or_by_a_blank(
    explicit: str | None, deploy_env: str | None, default: str
) -> None:
    with pytest.raises(BadInput):
        choose(explicit, deploy_env, default)
