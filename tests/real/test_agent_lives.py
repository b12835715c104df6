"""Agents that live longer than their tokens, their server's health, and the secrets that they read."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

import finance_report
from infra.model import dotenv
from infra.model.environments import environment
from infra.model.errors import KnownBad
from infra.plan import agent as plan
from infra.plan import credentials as rules
from infra.vault import opened, status
from infra.workspace import templates
from tests.real.conftest import ROOT, Checkout
from tests.real.test_agent_files import APP, allow, path, values_of
from tests.real.vault_custody import LOGGED_IN, Yard, yard_of
from tests.real.vault_program import vault_program
from tests.real.vault_rehearsal import Rehearsal
from tests.real.vault_server import Agent, VaultServer, agent_places, running_server, sealable_server
from tests.waiting import until

pytestmark = pytest.mark.real("VT")

PROJECT = finance_report.PROJECT
TEMPLATES = templates.load(ROOT)
ASK_AT_EACH_CHECK = {"INFRA_LOOKUP_SECONDS": "0"}
SHORT = {"token_ttl": 2, "token_max_ttl": 3, "secret_id_ttl": 16}
TWO_MINUTES = 120.0


def agent_of(server: VaultServer, folder: Path, *, interval: str) -> Agent:
    """Give an agent of staging's app with its files and a credential; it polls at this interval."""
    allow(server, "staging", APP)
    found = environment("staging")
    role = plan.role_name(PROJECT.name, found, APP.name)
    made = Agent(server, folder, role, server.role_id(role), server.wrapped(role)["token"])
    files = plan.agent_files(APP, found, PROJECT.name, "secret", TEMPLATES, agent_places(folder))
    made.write(files, interval=interval)
    return made


def identity(file: Path) -> tuple[int, int]:
    """Give what changes when a file is replaced or rewritten."""
    found = file.stat()
    return found.st_ino, found.st_mtime_ns


@pytest.fixture
def yard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Yard]:
    with (
        running_server(vault_program(), tmp_path) as server,
        yard_of(server, monkeypatch) as made,
    ):
        made.open("staging")
        yield made


def alarm(yard: Yard) -> str:
    """Give what `vault.status` says about redis, empty when it is quiet about it."""
    this = yard.command("vault.status")
    try:
        status.show(this, [opened.custody_of(this, PROJECT, "staging", "process")])
    except KnownBad as bad:
        said = (bad.message.partition(": ")[2], *bad.evidence)
        return "".join(one for one in said if one.startswith("redis: "))
    return ""


def test_an_agent_outlives_its_token_three_times_and_the_alarm_comes_before_its_credential_ends(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "SETTINGS", {**rules.SETTINGS, **SHORT})
    assert yard.setup("staging", service="redis").exit_code == 0
    places = yard.places("staging")
    agent = psutil.Process(int(Path(places.unit_file("redis-vault-agent", "pid")).read_text()))
    (program,) = agent.children()
    rendered = Path(places.secrets_file("redis"))
    began = time.monotonic()
    until(lambda: yard.log("staging", "redis").count(LOGGED_IN) > 3)
    assert time.monotonic() - began > 2 * SHORT["token_max_ttl"]
    assert (agent.children(), "its credential ends in" in alarm(yard)) == ([program], True)
    until(lambda: "its credential has expired" in alarm(yard), SHORT["secret_id_ttl"] + 5)
    before = identity(rendered)

    def is_refused() -> bool:
        """Tidy up, else the server bears for a minute what ends on its own clock a moment after ours."""
        yard.server.must("POST", "auth/approle/tidy/secret-id")
        return "invalid role or secret ID" in yard.log("staging", "redis")

    until(is_refused, 20, every=0.5)
    assert "it has no credential" in alarm(yard)
    assert (agent.children(), identity(rendered)) == ([program], before)


def test_two_minutes_of_a_sealed_server_leave_agent_file_and_health_and_what_is_new_comes_after(
    tmp_path: Path,
) -> None:
    (tmp_path / "server").mkdir()
    with (
        sealable_server(vault_program(), tmp_path / "server") as server,
        agent_of(server, tmp_path, interval="1s").running() as agent,
    ):
        until(lambda: agent.healthy(**ASK_AT_EACH_CHECK))
        process = psutil.Process(agent.process.pid if agent.process else 0)
        (program,), before = process.children(), identity(tmp_path / "secrets/.env")
        server.seal()
        opens = time.monotonic() + TWO_MINUTES

        def lives_on() -> bool:
            assert agent.healthy(**ASK_AT_EACH_CHECK)
            assert program in process.children()
            assert identity(tmp_path / "secrets/.env") == before
            return time.monotonic() >= opens

        until(lives_on, TWO_MINUTES + 10, every=1.0)  # each look starts programs
        assert agent.log.count("reason=sealed") == 1, "one line in five minutes"
        server.unseal()
        server.put(path("staging"), {**values_of(APP), "REDIS_URL": "new"})
        until(lambda: "REDIS_URL='new'" in agent.rendered())
        assert agent.healthy(**ASK_AT_EACH_CHECK)
        assert program in process.children()


def test_a_server_that_comes_back_empty_after_a_kill_refuses_the_token_until_there_is_a_new_credential(
    tmp_path: Path,
) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    with running_server(vault_program(), tmp_path / "first") as server:
        port = urlsplit(server.address).port or 0
        with agent_of(server, tmp_path, interval="1s").running() as agent:
            until(lambda: agent.healthy(**ASK_AT_EACH_CHECK))
            before = identity(tmp_path / "secrets/.env")
            os.kill(server.pid, signal.SIGKILL)
            until(lambda: "reason=unreachable" in said(agent))
            assert agent.healthy(**ASK_AT_EACH_CHECK), "its services have their file"
            with running_server(vault_program(), tmp_path / "second", port):
                assert "reason=denied" in agent.health(**ASK_AT_EACH_CHECK)[1]
                assert not agent.healthy()
                assert identity(tmp_path / "secrets/.env") == before
                _starts_again(agent_of(server, tmp_path, interval="1s"), before)


def said(agent: Agent) -> str:
    """Give the log after one more check."""
    agent.healthy(**ASK_AT_EACH_CHECK)
    return agent.log


def _starts_again(agent: Agent, before: tuple[int, int]) -> None:
    with agent.again(deploy="d-2").running() as again:
        until(again.healthy)
        assert identity(again.folder / "secrets/.env") != before


class Database:
    """PostgreSQL of a rehearsal and its agent, which polls each second."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self.rehearsal, self.checkout = rehearsal, rehearsal.checkout
        file = self.checkout.root / "templates/vault/vault-agent.hcl.j2"
        text = file.read_text(encoding="utf-8")
        assert '"5m"' in text
        file.write_text(text.replace('"5m"', '"1s"'), encoding="utf-8")
        self.server = rehearsal.start()
        self.path = rehearsal.path_of("postgres")

    @property
    def log(self) -> str:
        return (self.rehearsal.root / "logs/postgres-vault-agent.log").read_text(encoding="utf-8")

    @property
    def errors(self) -> list[str]:
        return [line for line in self.log.splitlines() if "[ERROR]" in line]

    @property
    def rendered(self) -> Path:
        return self.rehearsal.rendered("postgres")

    def values(self) -> Mapping[str, str]:
        found: Mapping[str, str] = self.server.must("GET", self.path)["data"]["data"]
        return found

    def audited(self) -> dict[tuple[int, str], tuple[str, str]]:
        """Give state and detail of each row of the audit, by number and service."""
        done = self.checkout.run("vault.check", "--env", "staging", "--target", "process", "--json")
        assert "rows" in done.json["facts"], done.out
        return {
            (row["number"], row["subject"]): (row["state"], row["detail"])
            for row in done.json["facts"]["rows"]
        }


@pytest.fixture
def database(checkout: Checkout) -> Iterator[Database]:
    rehearsal = Rehearsal(checkout)
    made = Database(rehearsal)
    words = ("vault.setup-tokens", "--env", "staging", "--target", "process", "--service", "postgres")
    try:
        done = checkout.run(*words)
        assert done.code == 0, done.err
        yield made
    finally:
        rehearsal.end(signal.SIGTERM)


def test_a_deleted_or_destroyed_secret_leaves_the_file_and_shows_as_an_error_until_it_is_written_again(
    database: Database,
) -> None:
    assert database.audited()[7, "postgres"] == ("ok", "no error")
    pids = database.checkout.pids()
    for act, state in (("destroy", "destroyed"), ("delete", "deleted")):
        _goes_and_comes_back(database, act, state)
    assert database.checkout.pids() == pids, "its agent and its server ran all the while"


def _goes_and_comes_back(database: Database, act: str, state: str) -> None:
    server, values = database.server, database.values()
    before, errors = identity(database.rendered), len(database.errors)
    newest = server.must("GET", database.path)["data"]["metadata"]["version"]
    server.must("POST", database.path.replace("/data/", f"/{act}/"), {"versions": [newest]})
    until(lambda: len(database.errors) > errors)
    rows = database.audited()
    assert (rows[7, "postgres"][0], "template error" in rows[7, "postgres"][1]) == ("fail", True)
    assert rows[3, ""] == ("fail", f"finance_report/staging/postgres: version {newest} is {state}")
    assert identity(database.rendered) == before
    new = {**values, "APP_PASSWORD": f"{values['APP_PASSWORD']}x"}
    server.put(database.path, new)
    until(lambda: dotenv.parse(database.rendered.read_text(encoding="utf-8")) == new)
