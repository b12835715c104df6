"""cleanup.dev and leaks.check on a real stack, beside a checkout that lives and one that is gone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from finance_report import PROJECT
from infra.model.secret import Secret
from infra.targets.object_store import ObjectStore
from tests.real.conftest import Done, kill
from tests.real.testing_stack import PREFIX, Stack, is_gone, variables_of
from tests.waiting import until

pytestmark = pytest.mark.real
GIVEN: set[int] = set()
DIES = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from infra.store import leases, owner
from infra.store.file_store import FileStore
store = FileStore(Path(sys.argv[1]), "local", Path("/nowhere"))
claim = owner.this_process("somebody", "a-run", "a deploy")
leases.acquire(store, "finance_report/local/_state/lease", claim, lambda: datetime.now(UTC))
os._exit(0)
"""


NAMES = [name for service in PROJECT.services for part in service.parts for name in part.ports]


def free_ports(count: int) -> list[int]:
    """Give free ports below those that the system gives to clients."""
    found: list[int] = []
    for port in range(20_000 + os.getpid() % 8_000, 32_000):
        with socket.socket() as one:
            if len(found) < count and port not in GIVEN and one.connect_ex(("127.0.0.1", port)) != 0:
                found.append(port)
    GIVEN.update(found)
    return found


class Apart(Stack):
    """A stack whose states are its own, so that what other test runs left is not counted."""

    def __init__(self) -> None:
        super().__init__()
        self.ports_of: dict[str, dict[str, int]] = {}
        self.states = self.checkout.folder / "states"
        self.states.mkdir()
        self.states.chmod(0o755)
        (self.checkout.folder / "gone").mkdir()
        self.source("app")

    @property
    def state(self) -> Path:
        return self.states / "finance_report" / self.checkout_id / "local"

    def do(self, *words: str, **more: str) -> Done:
        return self.checkout.run(*words, XDG_STATE_HOME=str(self.states), **more)

    def source(self, name: str) -> None:
        """Choose the application's checkout. Each has ports that no other test run would choose."""
        numbers = self.ports_of.setdefault(name, dict(zip(NAMES, free_ports(len(NAMES)), strict=True)))
        self.checkout.settings(f"app: {{source: ../{name}}}\nports: {json.dumps(numbers)}\n")

    def units(self) -> dict[str, psutil.Process]:
        """Give the main process of each unit, whosever it is."""
        found: dict[str, psutil.Process] = {}
        for process in psutil.process_iter():
            variables = variables_of(process)
            if variables.get("INFRA_CHECKOUT") == self.checkout_id:
                found.setdefault(variables.get("INFRA_UNIT", "supervisor"), process)
        return found

    def sections(self, *words: str, **more: str) -> tuple[Done, dict[str, dict[str, Any]]]:
        done = self.do("leaks.check", "--json", *words, **more)
        return done, {one["section"]: one for one in done.json["facts"]["sections"]}

    def remove(self) -> None:
        for name in ("gone", "app"):
            self.source(name)
            self.do("finance_report.down")
        super().remove()


@pytest.fixture(scope="module")
def stack() -> Iterator[Apart]:
    made = Apart()
    try:
        done = made.do("finance_report.app.setup")
        assert done.code == 0, done.err
        yield made
    finally:
        made.remove()


@pytest.fixture
def running(stack: Apart) -> Apart:
    """The stack with everything running, and nothing left over."""
    done = stack.do("finance_report.app.setup")
    assert done.code == 0, done.err
    return stack


def test_a_clean_stack_is_left_as_it_is(running: Apart) -> None:
    before = {name: one.pid for name, one in running.units().items()}
    done = running.do("cleanup.dev", "--json")
    assert (done.code, done.json["changes"]) == (0, []), done.err
    assert {name: one.pid for name, one in running.units().items()} == before
    done, sections = running.sections()
    assert done.code == 0, done.err
    assert [one["verdict"] for one in sections.values()] == ["ok", "ok", "ok", "unknown", "unknown", "ok"]
    assert list(sections) == [
        "local worker databases",
        "local volumes",
        "local object store",
        "preview resources on the host",
        "preview images",
        "run list and cache",
    ]
    assert len(done.json["facts"]["next"]) == 3


def test_a_host_that_is_set_counts_always_and_what_was_not_asked_only_when_strict(running: Apart) -> None:
    for words, variables in ((["--strict"], {}), (["--host", "h.test"], {}), ([], {"VPS_HOST": "h.test"})):
        assert running.sections(*words, **variables)[0].code == 2, words


def test_units_without_supervisor_go_and_their_data_stays(running: Apart) -> None:
    running.sql("CREATE TABLE precious AS SELECT 1 AS n", "finance_report")
    kill(running.units()["supervisor"])
    dry = running.do("cleanup.dev", "--dry-run", "--json")
    assert (dry.code, dry.json["changes"], "postgres" in running.units()) == (0, [], True)
    done = running.do("cleanup.dev", "--json")
    assert done.code == 0, done.err
    assert (done.json["facts"]["failed"], done.json["facts"]["removed"]) == (0, 6)
    assert running.units() == {}
    assert running.do("finance_report.app.setup").code == 0
    assert running.sql("SELECT n FROM precious", "finance_report") == [(1,)]
    running.sql("DROP TABLE precious", "finance_report")


def test_a_development_server_goes_once_its_command_was_killed(running: Apart) -> None:
    variables = {"XDG_STATE_HOME": str(running.states)}
    window = running.checkout.popen("dev.backend", **variables)
    until(lambda: _development(running))
    assert running.do("cleanup.dev", "--json").json["changes"] == []
    server = _development(running)
    kill(window)
    assert server
    done = running.do("cleanup.dev", "--json")
    assert (done.code, is_gone(server)) == (0, True), done.err
    assert {"postgres", "redis", "frontend", "router"} <= set(running.units())


def _development(stack: Apart) -> psutil.Process | None:
    found = stack.units().get("backend")
    return found if found and variables_of(found).get("INFRA_BUNDLE") == "development" else None


def test_entries_of_the_dead_go_and_living_tests_are_a_refusal(running: Apart) -> None:
    variables = {"XDG_STATE_HOME": str(running.states)}
    killed = running.begin("pr-4", "--workers", "1", **variables)
    lives = running.begin("pr-47", "--workers", "1", **variables)
    drivers = [running.until_there(space) for space in ("pr_4", "pr_47")]
    killed.kill()
    killed.communicate(timeout=20)
    folder = running.checkout.folder / f"share/finance_report/secrets/{running.checkout_id}"
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", DIES, str(folder)], check=True, cwd=root)
    done, sections = running.sections("--verbose")
    assert (done.code, sections["run list and cache"]["count"]) == (1, 2), done.err
    assert "the dead test run pr_4 " in done.err
    refused = running.do("cleanup.dev", "--json")
    assert (refused.code, refused.json["changes"]) == (1, [])
    assert "pr_47" in refused.err
    forced = running.do("cleanup.dev", "--force", "--json")
    assert (forced.code, forced.json["facts"]["removed"]) == (0, 2), forced.err
    assert (is_gone(drivers[0]), is_gone(drivers[1])) == (True, False)
    assert running.runners() == ["pr_47"]
    assert f"{PREFIX}_pr_4" in running.databases(), "no data goes without --all"
    running.let_go("pr_47")
    _, err = lives.communicate(timeout=40)
    assert lives.returncode == 0, err
    assert running.sections()[1]["local worker databases"]["verdict"] == "ok", "it is younger than the grace"
    old = "infra:test:pr_4:2020-01-01T00:00:00Z"
    running.sql(f"COMMENT ON DATABASE {PREFIX}_pr_4 IS '{old}'")
    leaking = running.sections()[1]["local worker databases"]
    assert [one["name"] for one in leaking["items"]] == [f"{PREFIX}_pr_4"]
    assert leaking["size"] > 1_000_000
    assert running.do("cleanup.dbs").code == 0
    assert running.sections()[0].code == 0


def test_an_unreadable_list_is_unknown_and_nothing_is_removed(running: Apart) -> None:
    running.list.write_text("{ no list", encoding="utf-8")
    try:
        done, sections = running.sections()
        assert (done.code, sections["run list and cache"]["verdict"]) == (2, "unknown")
        assert running.do("cleanup.dev").code == 2
        assert running.do("cleanup.dev", "--all", "--yes").code == 2
        assert running.list.read_text() == "{ no list"
    finally:
        running.list.unlink()


@pytest.mark.real("S3")
def test_a_bucket_of_a_run_that_is_over_is_a_leak(running: Apart) -> None:
    store = _store(running)
    for name in ("statements-pr-47", "others"):
        store.make(name)
    store.put("statements-pr-47", "a", b"12345")
    try:
        found = running.sections()[1]["local object store"]
        assert found["items"] == [{"name": "statements-pr-47", "size": 5}]
        assert running.sections(BRANCH_NAME="pr-47")[1]["local object store"]["verdict"] == "ok"
    finally:
        for name in ("statements-pr-47", "others"):
            store.remove(name)


def _store(stack: Apart) -> ObjectStore:
    keys = Secret(stack.secret("ROOT_USER")), Secret(stack.secret("ROOT_PASSWORD"))
    return ObjectStore(f"http://127.0.0.1:{stack.ports['minio']}", *keys)


def test_what_a_gone_checkout_left_is_shown_and_goes_with_all_and_nobody_elses(running: Apart) -> None:
    shutil.copytree(running.checkout.folder / "app/apps", running.checkout.folder / "gone/apps")
    running.source("gone")
    assert running.do("finance_report.redis.setup").code == 0
    running.source("app")
    states = running.states / "finance_report"
    [gone] = [one for one in states.glob("[0-9a-f]*") if one.name != running.checkout_id]
    unknown = states / "0123abcd/local/data/postgres"
    unknown.mkdir(parents=True)
    assert running.sections()[1]["local volumes"]["verdict"] == "ok", "both checkouts are there"
    left = [one for one in psutil.process_iter() if variables_of(one).get("INFRA_CHECKOUT") == gone.name]
    shutil.rmtree(running.checkout.folder / "gone")
    volumes = running.sections()[1]["local volumes"]
    assert {one["name"].rpartition("/")[2] for one in volumes["items"]} == {"postgres", "redis"}
    default = running.do("cleanup.dev", "--json")
    shown = [one for one in default.json["facts"]["items"] if one["kind"] == "checkout"]
    assert {one["why"] for one in shown} == {"removed with --all", "nothing says where its checkout is"}
    assert gone.exists()
    _store(running).put("statements", "kept", b"x")
    asked = running.do("cleanup.dev", "--all")
    assert (asked.code, gone.exists()) == (2, True), "nobody was there to consent"
    done = running.do("cleanup.dev", "--all", "--yes", "--json")
    assert done.code == 0, done.err
    kinds = [one["kind"] for one in done.json["facts"]["items"] if one["verdict"] == "removed"]
    assert kinds == ["bucket", "process", "data", "data", "data", "checkout"]
    assert left
    assert all(map(is_gone, left))
    folders = running.checkout.folder / "share/finance_report/secrets"
    assert not gone.exists()
    assert [one.name for one in folders.iterdir()] == [running.checkout_id]
    assert unknown.exists(), "what cannot be told is never removed"
    assert (running.units(), list((running.state / "data").iterdir())) == ({}, [])
    again = running.do("finance_report.app.setup")
    assert again.code == 0, again.err


def test_a_data_folder_that_is_not_marked_as_ours_stays(running: Apart) -> None:
    marker = running.state / "data/redis/.infra.json"
    text = marker.read_text(encoding="utf-8")
    marker.write_text(json.dumps({**json.loads(text), "checkout": "ffffffff"}), encoding="utf-8")
    done = running.do("cleanup.dev", "--all", "--dry-run", "--json")
    marker.write_text(text, encoding="utf-8")
    kept = [one["name"] for one in done.json["facts"]["items"] if one["verdict"] == "kept"]
    assert str(running.state / "data/redis") in kept


def test_a_process_that_does_not_listen_is_killed(running: Apart) -> None:
    process = running.units()["frontend"]
    kill(running.units()["supervisor"])
    os.kill(process.pid, signal.SIGSTOP)
    done = running.do("cleanup.dev", "--json")
    assert done.code == 0, done.err
    assert is_gone(process)
