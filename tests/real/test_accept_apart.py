"""Acceptance on state of its own: the stack that a person runs in the same checkout is never touched."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import psutil
import pytest

from tests.real.conftest import Checkout
from tests.waiting import until

pytestmark = pytest.mark.real


def throwaways(folder: Path) -> list[psutil.Process]:
    """Give the units that run below a folder of temporary files."""
    return [one for one in psutil.process_iter() if _home_of(one).startswith(f"{folder}/accept-")]


def _home_of(process: psutil.Process) -> str:
    try:
        alive = process.status() != psutil.STATUS_ZOMBIE
        return process.environ().get("HOME", "") if alive else ""
    except psutil.Error:
        return ""


@pytest.fixture
def temporary(checkout: Checkout) -> Path:
    folder = checkout.folder / "tmp"
    folder.mkdir()
    folder.chmod(0o755)
    return folder


def test_units_are_killed_and_mended_in_a_stack_that_is_not_the_persons(
    checkout: Checkout, temporary: Path
) -> None:
    checkout.setup()
    before = checkout.pids()
    memory = set(Path("/dev/shm").glob("accept-*"))
    words = ("--id", "AC7.9.3", "--id", "AC7.9.2", "--id", "ENV-7", "--json")
    done = checkout.run("accept", *words, TMPDIR=str(temporary))
    assert done.code == 0, done.err
    found = {row["id"]: row["state"] for row in done.json["facts"]["rows"]}
    assert found == {"AC7.9.2": "ok", "AC7.9.3": "ok", "ENV-7": "unknown"}, done.out
    assert checkout.pids() == before
    assert checkout.health["status"] == "healthy"
    assert list(temporary.iterdir()) == []
    assert set(Path("/dev/shm").glob("accept-*")) <= memory
    history = checkout.run("finance_report.app.history", "--json").json["facts"]["records"]
    assert len(history) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_destroys_the_throw_away_stack(
    checkout: Checkout, temporary: Path, number: signal.Signals
) -> None:
    running = checkout.popen("accept", "--id", "SMOKE-1", TMPDIR=str(temporary))
    until(lambda: len(throwaways(temporary)) > 2 or running.poll() is not None, 180)
    assert running.poll() is None, running.communicate()
    os.kill(running.pid, number)
    running.communicate(timeout=60)
    assert running.returncode == 128 + number
    assert throwaways(temporary) == []
    assert list(temporary.iterdir()) == []
    assert not checkout.home_of_state.exists()
