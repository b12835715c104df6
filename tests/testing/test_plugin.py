"""The pytest plug-in and the door that it asks, in a real pytest with real xdist workers."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.model.errors import CannotTell
from infra.testing.door import Door
from tasks.root import ROOT
from tests.waiting import until

URL = "postgresql+asyncpg://u:p@localhost:5432/finance_report_test_a"
CONFTEST = "import os\nSEEN = os.environ['DATABASE_URL']\n"
SUITE = """
import conftest, os

def test_own(database_url, test_namespace):
    assert database_url == os.environ["DATABASE_URL"] == conftest.SEEN
    assert test_namespace == "a"
    with open("seen", "a") as seen:
        seen.write(database_url.rpartition("/")[2] + "\\n")

test_second = test_third = test_fourth = test_own
"""
OURS = {
    "DATABASE_URL": URL,
    "TEST_NAMESPACE": "a",
    "INFRA_TEST_ENV": "local_ci",
    "ENVIRONMENT": "testing",
    "TESTING": "true",
}


def start(folder: Path, *words: str, **variables: str) -> subprocess.Popen[str]:
    (folder / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "finance_report.pytest_plugin", "-p", "no:valkey"]
    return subprocess.Popen(
        [*argv, "-p", "no:cacheprovider", *words],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT), **OURS, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def output(child: subprocess.Popen[str]) -> str:
    return child.communicate(timeout=60)[0]


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def door(asked: list[str]) -> Iterator[Door]:
    def database(worker: str) -> str:
        asked.append(worker)
        if worker == "gw7":
            raise CannotTell("no room")
        return f"{URL}_{worker}"

    opened = Door(database)
    opened.start()
    yield opened
    opened.close()


def test_each_worker_has_its_own_database_before_the_application_is_imported(
    tmp_path: Path, door: Door, asked: list[str]
) -> None:
    (tmp_path / "test_it.py").write_text(SUITE, encoding="utf-8")
    child = start(tmp_path, "-n", "2", INFRA_TEST_DOOR=door.address)
    told = output(child)
    assert child.returncode == 0, told
    assert sorted(asked) == ["gw0", "gw1"]
    seen = set((tmp_path / "seen").read_text().split())
    assert seen <= {"finance_report_test_a_gw0", "finance_report_test_a_gw1"}
    assert door.report["tests"] == {"passed": 4}
    assert len(door.report["slowest"]) == 4


UNSAFE = {
    "production's host": {"DATABASE_URL": URL.replace("localhost", "db.example.test")},
    "the application's database": {"DATABASE_URL": URL.replace("_test_a", "")},
    "another namespace": {"DATABASE_URL": f"{URL}_b"},
    "variables of another environment": {"ENVIRONMENT": "production"},
    "an environment that is not for tests": {"INFRA_TEST_ENV": "staging"},
}


@pytest.mark.parametrize("variables", UNSAFE.values(), ids=UNSAFE)
def test_the_fixture_never_gives_an_address_that_is_not_exactly_ours(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    (tmp_path / "test_it.py").write_text(SUITE, encoding="utf-8")
    child = start(tmp_path, "-k", "own", **variables)
    told = output(child)
    assert child.returncode == 1, told
    assert "no test database of ours" in told
    assert not (tmp_path / "seen").exists()


def test_without_a_run_the_fixture_says_how_to_start_one(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(SUITE, encoding="utf-8")
    (tmp_path / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "own"]
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATABASE_URL": URL}
    (tmp_path / "conftest.py").write_text(
        CONFTEST + "pytest_plugins = ['finance_report.pytest_plugin']\n", encoding="utf-8"
    )
    done = subprocess.run(argv, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "./inv test.run" in done.stdout


def test_a_suite_ends_with_the_run_that_started_it(tmp_path: Path) -> None:
    """The door of a killed run is gone: here another listener stands for it, and lets go."""
    hang = "import time\ndef test_hang():\n    open('there', 'w').close()\n    time.sleep(600)\n"
    (tmp_path / "test_it.py").write_text(hang, encoding="utf-8")
    relay = socket.create_server(("127.0.0.1", 0))
    peers: list[socket.socket] = []

    def carry() -> None:
        peer, _ = relay.accept()
        peers.append(peer)
        peer.recv(1000)
        peer.sendall(b"{}\n")

    threading.Thread(target=carry, daemon=True).start()
    child = start(tmp_path, INFRA_TEST_DOOR=f"{relay.getsockname()[1]}:token")
    until((tmp_path / "there").exists)
    assert child.poll() is None
    peers[0].close()
    output(child)
    assert child.returncode == -9


def ask(address: str, **request: Any) -> dict[str, Any]:
    port, _, token = address.partition(":")
    with socket.create_connection(("127.0.0.1", int(port)), 5) as peer:
        peer.sendall(json.dumps({"token": token, **request}).encode() + b"\n")
        answer: dict[str, Any] = json.loads(peer.makefile().readline())
        return answer


def test_the_door_answers_nobody_without_the_token(door: Door, asked: list[str]) -> None:
    assert "error" in ask(door.address, do="database", worker="gw0", token="guess")
    assert asked == []
    assert ask(door.address, do="database", worker="gw0") == {"url": f"{URL}_gw0"}


def test_a_database_that_cannot_be_made_is_told_on_both_sides(door: Door) -> None:
    assert "no room" in ask(door.address, do="database", worker="gw7")["error"]
    assert door.faults == ["no room"]
