"""The files of an agent, run by the real agent against a real server."""

from __future__ import annotations

import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

import finance_report
from infra.model import dotenv
from infra.model.environments import environment
from infra.model.service import Service
from infra.plan import agent as plan
from infra.workspace import templates
from tests.real.conftest import ROOT
from tests.real.vault_program import vault_program
from tests.real.vault_server import Agent, VaultServer, agent_places, running_server
from tests.waiting import until

pytestmark = pytest.mark.real("VT")

PROJECT = finance_report.PROJECT
TEMPLATES = templates.load(ROOT)
APP = PROJECT.service("app")
HOSTILE = [
    case["text"] * case.get("times", 1)
    for case in yaml.safe_load((ROOT / "tests/store/hostile_values.yaml").read_text("utf-8"))
    if case["text"]
]
Make = Callable[..., Agent]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultServer]:
    with running_server(vault_program(), tmp_path_factory.mktemp("server")) as running:
        for name in ("staging", "production", "pr_47"):
            for service in (APP, PROJECT.service("postgres")):
                allow(running, name, service)
        yield running


def allow(server: VaultServer, name: str, service: Service) -> None:
    where = (environment(name), PROJECT.name)
    server.allow(
        plan.role_name(PROJECT.name, environment(name), service.name),
        plan.policy_text(service.name, *where, "secret", TEMPLATES),
    )
    server.put(path(name, service), values_of(service))


def path(name: str, service: Service = APP) -> str:
    return plan.secret_path(PROJECT.name, environment(name), service.name, "secret")


def values_of(service: Service) -> dict[str, str]:
    return {spec.key: f"{spec.key} of {service.name}" for spec in service.secrets}


@pytest.fixture
def make(server: VaultServer, tmp_path: Path) -> Make:
    """Give a maker of agents with their files, credential and deploy."""

    def made(
        name: str = "staging", service: Service = APP, *, at: VaultServer = server, **more: str
    ) -> Agent:
        role = plan.role_name(PROJECT.name, environment(name), service.name)
        deploy, interval = more.pop("deploy", "d-1"), more.pop("interval", "")
        wrapping = more.pop("wrapping", "") or at.wrapped(role, deploy)["token"]
        agent = Agent(at, tmp_path, role, at.role_id(role), wrapping, deploy)
        places = agent_places(tmp_path)
        files = plan.agent_files(service, environment(name), PROJECT.name, "secret", TEMPLATES, places)
        agent.write(files, interval=interval)
        return agent

    return made


def test_hostile_values_arrive_byte_for_byte_as_the_encoder_writes_them(
    server: VaultServer, make: Make
) -> None:
    keys = [spec.key for spec in APP.secrets]
    turns = range(0, len(HOSTILE), len(keys))
    for turn in turns:
        values = {key: HOSTILE[(turn + place) % len(HOSTILE)] for place, key in enumerate(keys)}
        server.put(path("staging"), values)
        with make(deploy=f"d-{turn}").running() as agent:
            until(agent.healthy)
            assert agent.rendered() == dotenv.encode(values)
            assert dotenv.parse(agent.rendered()) == values
    assert stat.S_IMODE((agent.folder / "secrets/.env").stat().st_mode) == 0o440


def test_the_second_file_tells_path_version_creation_and_last_read(server: VaultServer, make: Make) -> None:
    server.put(path("staging"), values_of(APP))
    metadata = server.must("GET", path("staging"))["data"]["metadata"]
    with make(interval="1s").running() as agent:
        until(lambda: agent.rendered(".versions") != "")
        first = agent.rendered(".versions")
        until(lambda: agent.rendered(".versions") != first)
    where, version, created, read = first.split()
    assert (where, int(version), created) == (path("staging"), metadata["version"], metadata["created_time"])
    assert time.strptime(read[:19], "%Y-%m-%dT%H:%M:%S")


def test_a_healthy_agent_shows_which_credential_it_logged_in_with(server: VaultServer, make: Make) -> None:
    server.put(path("staging"), values_of(APP))
    agent = make(deploy="d-7")
    accessor = server.wrapped(agent.role, "d-7")
    with agent.again(wrapping=accessor["token"]).running() as agent:
        until(agent.healthy)
        beat = agent.heartbeat()
        assert (beat["deploy"], beat["token_deploy"]) == ("d-7", "d-7")
        assert beat["accessor"] == accessor["wrapped_accessor"]
        token = (agent.folder / "token/.token").read_text()
        mine = server.must("GET", "auth/token/lookup-self", token=token)["data"]
        assert (beat["token_accessor"], beat["token_expires"]) == (mine["accessor"], mine["expire_time"])
    assert server.call("GET", "auth/token/lookup-self", token=token).status_code == 403, "revoked at its end"


def test_a_policy_opens_its_own_path_and_no_other(server: VaultServer) -> None:
    token = server.login(plan.role_name(PROJECT.name, environment("staging"), "app"))
    own = path("staging")
    metadata = own.replace("/data/", "/metadata/")
    assert [server.call("GET", one, token=token).status_code for one in (own, metadata)] == [200, 200]
    denied = [
        ("GET", path("production")),
        ("GET", path("staging", PROJECT.service("postgres"))),
        ("GET", path("pr_47")),
        ("POST", own),
        ("DELETE", own),
        ("LIST", metadata.rpartition("/")[0]),
        ("GET", "sys/policies/acl/finance_report-staging-app"),
        ("POST", "auth/token/create"),
    ]
    answers = {one: server.call(*one, {"data": {}}, token=token).status_code for one in denied}
    assert answers == dict.fromkeys(denied, 403)


def test_previews_read_each_other_and_nothing_else(server: VaultServer) -> None:
    token = server.login("finance_report-preview-app")
    server.put(path("pr_48"), values_of(APP))
    shared = plan.shared_path(PROJECT.name, "app", "secret")
    server.put(shared, {"OPENROUTER_API_KEY": "all previews'"})
    postgres = path("pr_47", PROJECT.service("postgres"))
    asked = (path("pr_47"), path("pr_48"), shared, path("staging"), path("production"), postgres)
    codes = [server.call("GET", one, token=token).status_code for one in asked]
    assert codes == [200, 200, 200, 403, 403, 403]


@pytest.mark.parametrize(("own", "expected"), [(None, "all's"), ("", "all's"), ("its own", "its own")])
def test_a_preview_takes_an_operator_key_of_its_own_before_that_of_all_previews(
    server: VaultServer, make: Make, own: str | None, expected: str
) -> None:
    values = {**values_of(APP), "OPENROUTER_API_KEY": own}
    server.put(path("pr_47"), {key: text for key, text in values.items() if text is not None})
    server.put(plan.shared_path(PROJECT.name, "app", "secret"), {"OPENROUTER_API_KEY": "all's"})
    with make("pr_47").running() as agent:
        until(lambda: agent.rendered() and agent.rendered(".versions"))
        assert agent.rendered() == dotenv.encode({**values_of(APP), "OPENROUTER_API_KEY": expected})
        assert ("_shared" in agent.rendered(".versions")) == (expected == "all's")


def test_a_required_key_that_goes_missing_leaves_the_old_file_until_it_is_back(
    server: VaultServer, make: Make
) -> None:
    server.put(path("staging"), values_of(APP))
    with make(interval="1s").running() as agent:
        until(agent.healthy)
        before = agent.rendered()
        broken = {key: text for key, text in values_of(APP).items() if key != "REDIS_URL"}
        server.put(path("staging"), broken)
        until(lambda: "map has no entry for key" in agent.log)
        assert agent.rendered() == before
        server.put(path("staging"), {**values_of(APP), "REDIS_URL": "back"})
        until(lambda: "REDIS_URL='back'" in agent.rendered())


def test_an_agent_that_waits_for_a_missing_key_still_ends_when_asked_and_revokes_its_token(
    server: VaultServer, make: Make
) -> None:
    server.put(path("staging"), {})
    with make().running() as agent:
        until(lambda: agent.log.count("map has no entry for key") > 4)
        token = (agent.folder / "token/.token").read_text()
    assert "The agent ended with 137" in agent.log
    assert server.call("GET", "auth/token/lookup-self", token=token).status_code == 403


def test_a_wrapping_token_is_used_once_and_a_restart_needs_no_other(server: VaultServer, make: Make) -> None:
    server.put(path("staging"), values_of(APP))
    agent = make()
    for _ in range(2):
        with agent.again().running() as run:
            until(run.healthy)
    assert agent.log.count("The credential was unwrapped") == 1
    with agent.again(wrapping="").running() as run:
        until(run.healthy)
    credential = agent.folder / "cred"
    assert stat.S_IMODE(credential.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in credential.iterdir()} == {0o600}


def test_a_wrapping_token_that_somebody_else_used_stops_the_first_start(
    server: VaultServer, make: Make
) -> None:
    agent = make()
    server.must("POST", "sys/wrapping/unwrap", token=agent.wrapping)
    with agent.running():
        assert agent.ended() == 1
    assert "reason=wrap_invalid" in agent.log


def test_an_agent_that_has_an_older_credential_tells_of_a_used_wrapping_token_and_goes_on(
    server: VaultServer, make: Make
) -> None:
    server.put(path("staging"), values_of(APP))
    with make().running() as agent:
        until(agent.healthy)
    used = server.wrapped(agent.role, "d-2")["token"]
    server.must("POST", "sys/wrapping/unwrap", token=used)
    with agent.again(wrapping=used, deploy="d-2").running() as again:
        until(again.healthy)
        beat = again.heartbeat()
    assert (beat["deploy"], beat["token_deploy"]) == ("d-2", "d-1"), "nobody takes it for the new one"
    assert "reason=wrap_invalid" in agent.log


def test_a_wrapping_token_of_another_role_is_refused_and_not_burnt(server: VaultServer, make: Make) -> None:
    foreign = server.wrapped("finance_report-production-app")["token"]
    agent = make(wrapping=foreign)
    with agent.running():
        assert agent.ended() == 1
    assert "reason=wrap_foreign" in agent.log
    assert "secret_id" in server.must("POST", "sys/wrapping/unwrap", token=foreign)["data"]


def test_a_token_that_the_server_refuses_is_unhealthy_at_once(server: VaultServer, make: Make) -> None:
    server.put(path("staging"), values_of(APP))
    with make().running() as agent:
        until(agent.healthy)
        server.must("POST", "auth/token/revoke-accessor", {"accessor": agent.heartbeat()["token_accessor"]})
        code, said = agent.health(INFRA_LOOKUP_SECONDS="300")
        assert (code, "state=ok" in said) == (0, True), "it asks every five minutes only"
        (agent.folder / "token/.lookup").unlink()
        code, said = agent.health()
        assert (code, "reason=denied" in said) == (1, True)


def test_a_sealed_server_leaves_the_agent_its_file_and_its_health(make: Make, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    with running_server(vault_program(), tmp_path / "own") as server:
        allow(server, "staging", APP)
        with make(at=server).running() as agent:
            until(agent.healthy)
            server.must("PUT", "sys/seal")
            (tmp_path / "token/.lookup").unlink()
            sealed = agent.health()
        assert (sealed[0], "state=ok" in sealed[1]) == (0, True)
    assert "reason=sealed" in agent.log
    assert agent.rendered() == dotenv.encode(values_of(APP))
