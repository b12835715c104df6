"""Policies, roles, secret ids and tokens of a real server, through our own calls."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

import finance_report
from infra.model.environments import environment
from infra.model.errors import BadInput, Denied, NotFound
from infra.model.secret import Secret
from infra.plan.agent import policy_text, role_name, secret_path
from infra.plan.credentials import differences, role_settings
from infra.plan.deployer import deployer_name, deployer_text
from infra.store.vault.approle import AppRole
from infra.store.vault.client import VaultClient
from infra.store.vault.server import Server
from infra.store.vault.tokens import Tokens
from infra.workspace import templates
from tests.real.conftest import ROOT
from tests.real.vault_program import vault_program
from tests.real.vault_server import SealableServer, VaultServer, running_server, sealable_server
from tests.waiting import until

pytestmark = pytest.mark.real("VT")

PROJECT = finance_report.PROJECT
TEMPLATES = templates.load(ROOT)
PAIRS = tuple(itertools.product(("staging", "production"), ("postgres", "redis", "app")))
NAME = "finance_report-staging-app"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultServer]:
    with running_server(vault_program(), tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def client(server: VaultServer) -> VaultClient:
    return VaultClient(server.address, Secret(server.root), pause=0.01)


@pytest.fixture
def approle(client: VaultClient) -> AppRole:
    return AppRole(client)


def made(approle: AppRole, env: str = "staging", service: str = "app") -> str:
    """Make policy and role of a service as setup-tokens does, and give their name."""
    name = role_name(PROJECT.name, environment(env), service)
    approle.write_policy(name, policy_text(service, environment(env), PROJECT.name, "secret", TEMPLATES))
    approle.write_role(name, role_settings(name))
    return name


def as_token(server: VaultServer, token: str) -> VaultClient:
    return VaultClient(server.address, Secret(token), pause=0.01)


def test_a_policy_is_read_back_as_it_was_written_and_a_missing_one_is_none(approle: AppRole) -> None:
    text = '# a comment\npath "a" {\n  capabilities = ["read"]\n}\n'
    approle.write_policy("fr-text", text)
    assert approle.policy("fr-text") == text
    assert approle.policy("fr-none") is None


def test_a_role_is_read_back_without_a_difference_also_one_that_is_bound_to_networks(
    approle: AppRole,
) -> None:
    for cidrs in ((), ("10.0.0.7/32", "10.1.0.0/16")):
        wanted = role_settings("fr-role", cidrs)
        approle.write_role("fr-role", wanted)
        found = approle.role("fr-role")
        assert found is not None
        assert differences(wanted, found) == ()
    assert approle.role("fr-no-role") is None
    assert approle.accessors("fr-no-role") is None
    with pytest.raises(NotFound):
        approle.role_id("fr-no-role")


@pytest.mark.parametrize("name", ["FR-app", "fr/app", "fr app", "", "fr-*"])
def test_a_name_that_the_server_would_write_in_another_way_is_refused(approle: AppRole, name: str) -> None:
    for ask in (approle.policy, approle.role, approle.accessors, approle.role_id):
        with pytest.raises(BadInput):
            ask(name)


def test_a_wrapped_secret_id_opens_once_and_its_marks_travel_into_the_token(
    server: VaultServer, client: VaultClient, approle: AppRole
) -> None:
    name = made(approle)
    wrapped = approle.wrapped_secret_id(name, {"deploy_id": "d-7", "environment": "staging"}, 60)
    assert approle.accessors(name) == (wrapped.accessor,)
    known = approle.look_up(name, wrapped.accessor)
    assert known is not None
    assert (known.deploy, known.environment) == ("d-7", "staging")
    tokens = Tokens(client)
    for _ in range(2):
        wrapping = tokens.wrapping(wrapped.token)
        assert wrapping is not None
        assert (wrapping.creation_path, wrapping.seconds) == (f"auth/approle/role/{name}/secret-id", 60)
    opened = server.must("POST", "sys/wrapping/unwrap", token=wrapped.token.reveal())["data"]
    assert tokens.wrapping(wrapped.token) is None
    assert server.call("POST", "sys/wrapping/unwrap", token=wrapped.token.reveal()).status_code == 400
    body = {"role_id": approle.role_id(name), "secret_id": opened["secret_id"]}
    token = server.must("POST", "auth/approle/login", body)["auth"]["client_token"]
    own = Tokens(as_token(server, token)).own()
    assert own.marks["deploy_id"] == "d-7"
    assert own.policies == (name,)


def test_an_expired_wrapping_does_not_open(
    server: VaultServer, client: VaultClient, approle: AppRole
) -> None:
    wrapped = approle.wrapped_secret_id(made(approle), {}, 1)
    until(lambda: Tokens(client).wrapping(wrapped.token) is None)
    assert server.call("POST", "sys/wrapping/unwrap", token=wrapped.token.reveal()).status_code == 400


def test_a_secret_id_is_ended_once_and_a_second_time_is_no_failure(approle: AppRole) -> None:
    name = made(approle, service="redis")
    wrapped = approle.wrapped_secret_id(name, {}, 60)
    assert approle.destroy(name, wrapped.accessor) is True
    assert approle.destroy(name, wrapped.accessor) is False
    assert approle.look_up(name, wrapped.accessor) is None
    assert approle.accessors(name) == ()


def test_an_expired_secret_id_stays_listed_until_it_is_tidied(approle: AppRole) -> None:
    approle.write_role("fr-short", {**role_settings("fr-short"), "secret_id_ttl": 1})
    wrapped = approle.wrapped_secret_id("fr-short", {}, 60)
    known = approle.look_up("fr-short", wrapped.accessor)
    assert known is not None
    until(lambda: _is_over(approle, wrapped.accessor))
    assert approle.accessors("fr-short") == (wrapped.accessor,)

    def is_tidied() -> bool:
        approle.tidy()
        return approle.accessors("fr-short") == ()

    until(is_tidied)


def _is_over(approle: AppRole, accessor: str) -> bool:
    from datetime import UTC, datetime

    known = approle.look_up("fr-short", accessor)
    return known is None or known.is_expired(datetime.now(UTC))


def test_a_role_that_an_old_credential_has_locked_is_free_once_the_lockout_is_off(tmp_path: Path) -> None:
    with running_server(vault_program(), tmp_path) as server:
        approle = AppRole(VaultClient(server.address, Secret(server.root), pause=0.01))
        name = made(approle)
        role_id = approle.role_id(name)
        good = server.must("POST", f"auth/approle/role/{name}/secret-id")["data"]["secret_id"]

        def logs_in(secret_id: str) -> bool:
            return server.call("POST", "auth/approle/login", {"role_id": role_id, "secret_id": secret_id}).ok

        assert [logs_in("an old one") for _ in range(6)] == [False] * 6
        assert not logs_in(good), "the role is locked, for a good credential, too"
        assert not approle.is_lockout_off()
        approle.switch_lockout_off()
        assert approle.is_lockout_off()
        assert logs_in(good)
        assert not any(logs_in("an old one") for _ in range(8))
        assert logs_in(good), "and it is never locked again"


def test_every_service_of_every_environment_reads_its_own_path_and_is_denied_all_others(
    server: VaultServer, approle: AppRole
) -> None:
    paths = {pair: secret_path(PROJECT.name, environment(pair[0]), pair[1], "secret") for pair in PAIRS}
    for path in paths.values():
        server.put(path, {"KEY": "value"})
    for own in PAIRS:
        name = made(approle, *own)
        wrapped = approle.wrapped_secret_id(name, {}, 60)
        opened = server.must("POST", "sys/wrapping/unwrap", token=wrapped.token.reveal())["data"]
        body = {"role_id": approle.role_id(name), "secret_id": opened["secret_id"]}
        token = server.must("POST", "auth/approle/login", body)["auth"]["client_token"]
        codes = {pair: server.call("GET", path, token=token).status_code for pair, path in paths.items()}
        assert codes == {pair: 200 if pair == own else 403 for pair in PAIRS}


def login(server: VaultServer, approle: AppRole, env: str) -> tuple[str, str]:
    """Log in as the agent of an environment's app; give its token and the entity that Vault has for it."""
    name = made(approle, env)
    wrapped = approle.wrapped_secret_id(name, {"deploy_id": "d-1", "environment": env}, 60)
    opened = server.must("POST", "sys/wrapping/unwrap", token=wrapped.token.reveal())["data"]
    body = {"role_id": approle.role_id(name), "secret_id": opened["secret_id"]}
    auth = server.must("POST", "auth/approle/login", body)["auth"]
    return str(auth["client_token"]), str(auth["entity_id"])


@pytest.mark.parametrize("order", [("pr_4", "pr_47"), ("pr_47", "pr_4")], ids=" then ".join)
def test_previews_are_one_zone_of_trust_service_by_service_and_open_nothing_else(
    server: VaultServer, approle: AppRole, order: tuple[str, str]
) -> None:
    """Accepted: the agent of a preview can read another preview's values of its own service.

    What tells two logins apart is of no use to a policy: both are one entity, which the last login describes.
    """
    of_previews = [f"secret/data/finance_report/preview/{env}" for env in order]
    elsewhere = [f"secret/data/finance_report/{env}/app" for env in ("staging", "production", "canary")]
    own_records = f"{of_previews[0]}/_state/app"
    for path in (*(f"{one}/{name}" for one in of_previews for name in ("app", "redis")), own_records):
        server.put(path, {"A": path})
    for path in elsewhere:
        server.put(path, {"A": path})
    logins = [login(server, approle, env) for env in order]
    assert len({entity for _, entity in logins}) == 1
    for token, _ in logins:
        for folder in of_previews:
            read = server.must("GET", f"{folder}/app", token=token)["data"]["data"]
            assert read == {"A": f"{folder}/app"}
            for method, path in (("GET", f"{folder}/redis"), ("POST", f"{folder}/app")):
                assert server.call(method, path, {"data": {}}, token=token).status_code == 403
        for path in (*elsewhere, own_records):
            assert server.call("GET", path, token=token).status_code == 403
        listing = "secret/metadata/finance_report/preview"
        assert server.call("LIST", listing, token=token).status_code == 403


@pytest.fixture
def deployer(server: VaultServer, approle: AppRole) -> str:
    """Give the token of somebody who deploys staging."""
    roles = [made(approle, "staging", service) for service in ("postgres", "redis", "app")]
    made(approle, "production", "app")
    found = environment("staging")
    name = deployer_name(PROJECT.name, found)
    approle.write_policy(name, deployer_text(roles, found, PROJECT.name, "secret", TEMPLATES))
    made_token = server.must("POST", "auth/token/create", {"policies": [name], "no_default_policy": True})
    return str(made_token["auth"]["client_token"])


def test_who_deploys_renews_credentials_of_the_own_environment(server: VaultServer, deployer: str) -> None:
    own = as_token(server, deployer)
    wrapped = AppRole(own).wrapped_secret_id(NAME, {"deploy_id": "d-1"}, 900)
    assert AppRole(own).look_up(NAME, wrapped.accessor) is not None
    assert wrapped.accessor in (AppRole(own).accessors(NAME) or ())
    assert AppRole(own).destroy(NAME, wrapped.accessor)
    assert all((AppRole(own).policy(NAME), AppRole(own).role(NAME), AppRole(own).role_id(NAME)))
    assert Server(own).audit_devices() == ()


REFUSED = {
    "a policy": ("PUT", f"sys/policies/acl/{NAME}", {"policy": ""}, ""),
    "a role": ("POST", f"auth/approle/role/{NAME}", {"token_policies": ["root"]}, ""),
    "an unwrapped secret id": ("POST", f"auth/approle/role/{NAME}/secret-id", {}, ""),
    "a wrapping of over 900 s": ("POST", f"auth/approle/role/{NAME}/secret-id", {}, "901s"),
    "another environment's secret id": (
        "POST",
        "auth/approle/role/finance_report-production-app/secret-id",
        {},
        "60s",
    ),
    "another environment's values": ("GET", "secret/data/finance_report/production/app", None, ""),
    "another environment's keys": ("LIST", "secret/metadata/finance_report/production/", None, ""),
    "the lockout": ("POST", "sys/mounts/auth/approle/tune", {}, ""),
    "another token": ("POST", "auth/token/create", {}, ""),
    "the removal of values": ("DELETE", "secret/metadata/finance_report/staging/app", None, ""),
}


@pytest.mark.parametrize(("method", "path", "body", "wrap"), REFUSED.values(), ids=REFUSED)
def test_who_deploys_is_refused(
    server: VaultServer, deployer: str, method: str, path: str, body: object, wrap: str
) -> None:
    assert server.call(method, path, body, token=deployer, wrap=wrap).status_code == 403


def test_a_refusal_names_path_and_capability(server: VaultServer, deployer: str) -> None:
    with pytest.raises(Denied, match=f"sys/policies/acl/{NAME}"):
        AppRole(as_token(server, deployer)).write_policy(NAME, "")


def test_rights_are_read_for_many_paths_at_once(
    server: VaultServer, deployer: str, client: VaultClient
) -> None:
    paths = (f"sys/policies/acl/{NAME}", f"auth/approle/role/{NAME}/secret-id", "secret/data/nowhere")
    assert Tokens(as_token(server, deployer)).rights(paths) == {
        paths[0]: frozenset({"read"}),
        paths[1]: frozenset({"update"}),
        paths[2]: frozenset({"deny"}),
    }
    assert set(Tokens(client).rights(paths).values()) == {frozenset({"root"})}
    assert Tokens(client).own().is_root


def test_a_token_is_known_and_ended_by_its_accessor(server: VaultServer, client: VaultClient) -> None:
    made_token = server.must("POST", "auth/token/create", {"ttl": "1h"})["auth"]
    tokens = Tokens(client)
    known = tokens.look_up(made_token["accessor"])
    assert known is not None
    assert 3500 < (known.seconds or 0) <= 3600
    for _ in range(2):
        tokens.revoke(made_token["accessor"])
    assert tokens.look_up(made_token["accessor"]) is None
    another = server.must("POST", "auth/token/create", {"ttl": "1h"})["auth"]["client_token"]
    own = Tokens(as_token(server, another))
    own.renew_own()
    own.revoke_own()
    with pytest.raises(Denied):
        own.own()


@pytest.fixture
def sealable(tmp_path: Path) -> Iterator[SealableServer]:
    with sealable_server(vault_program(), tmp_path) as running:
        yield running


def test_a_sealed_server_tells_how_many_of_its_keys_were_given(sealable: SealableServer) -> None:
    asked = Server(VaultClient(sealable.address, None, pause=0.01))
    assert asked.health().is_open
    sealable.seal()
    found = asked.health()
    assert (found.state, found.progress, found.threshold) == ("sealed", 0, 2)
    sealable.unseal(1)
    assert asked.health().words == "sealed, 1 of 2 unseal keys are given"
    sealable.unseal()
    assert asked.health().state == "active"
