"""Calls that are killed, and calls that meet: one at a time changes .venv, and half a .venv is never used."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.bootstrap.clone import Answer, Clone
from tests.waiting import until

ALL = ["venv", "pip tool", "pip local"]


@pytest.fixture
def gate(clone: Clone) -> Iterator[Path]:
    """Hold every pip before its end until somebody writes into this pipe; the first to come leaves a mark."""
    path = clone.world / "gate"
    os.mkfifo(path)
    clone.happens("while-pip-runs", f': >"{clone.world}/pip-waits"; read -r _ <"{path}"\n')
    yield path
    open_gate(clone, path)


def open_gate(clone: Clone, gate: Path) -> None:
    """Let the pip that waits, and every later one, go on."""
    (clone.world / "while-pip-runs").unlink(missing_ok=True)

    def say_go() -> None:
        with suppress(BrokenPipeError):  # whoever waited there was killed meanwhile
            gate.write_text("go\n")

    threading.Thread(target=say_go, daemon=True).start()


def start_installing(clone: Clone, *words: str) -> subprocess.Popen[str]:
    """Start ./inv and return when its pip is at work."""
    mark = clone.world / "pip-waits"
    mark.unlink(missing_ok=True)
    process = clone.start(*words)
    until(mark.exists)
    return process


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """Read what a call says until it says these words; AssertionError when it does not in ten seconds."""
    assert process.stderr
    too_late = threading.Timer(10, lambda: os.killpg(process.pid, signal.SIGKILL))
    too_late.start()
    line = next((line for line in process.stderr if words in line), "")
    too_late.cancel()
    assert line, f"not said: {words}"
    return line


def test_a_call_that_was_killed_half_way_is_started_over_by_the_next(clone: Clone, gate: Path) -> None:
    first = start_installing(clone, "smoke")
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    open_gate(clone, gate)
    clone.calls()
    answer = clone.inv("smoke")
    assert (answer.code, answer.words) == (0, ["smoke"])
    assert "killed half-way: starting over" in answer.err
    assert clone.calls() == ALL


def test_an_update_that_was_killed_half_way_is_not_trusted_by_other_tasks(clone: Clone, gate: Path) -> None:
    held = clone.world / "while-pip-runs"
    text = held.read_text()
    held.unlink()
    clone.inv("smoke")
    held.write_text(text)
    update = start_installing(clone, "test")
    os.killpg(update.pid, signal.SIGKILL)
    update.communicate()
    open_gate(clone, gate)
    clone.calls()
    assert clone.inv("smoke").code == 0
    assert clone.calls() == ALL


def test_an_installer_that_outlives_its_call_is_waited_for(clone: Clone, gate: Path) -> None:
    first = start_installing(clone, "smoke")
    first.kill()
    first.wait()
    second = clone.start("smoke")
    installer = (clone.root / ".venv.lock" / "installer").read_text().split()[0]
    assert f"waiting for process {installer}" in read_until(second, "waiting")
    clone.calls()
    open_gate(clone, gate)
    assert Answer.of(second).words == ["smoke"]
    assert clone.calls() == ALL


def test_of_two_calls_on_a_fresh_clone_the_second_waits_and_says_so(clone: Clone, gate: Path) -> None:
    first = start_installing(clone, "first")
    second = clone.start("second")
    assert f"waiting for process {first.pid}," in read_until(second, "waiting")
    open_gate(clone, gate)
    assert [Answer.of(call).words for call in (first, second)] == [["first"], ["second"]]
    assert clone.calls() == ALL


def test_of_many_calls_at_once_after_a_killed_one_a_single_one_installs(clone: Clone, gate: Path) -> None:
    killed = start_installing(clone)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    open_gate(clone, gate)
    clone.calls()
    calls = [clone.start(str(number)) for number in range(6)]
    assert [Answer.of(call).words for call in calls] == [[str(number)] for number in range(6)]
    assert clone.calls() == ALL


@pytest.mark.parametrize("leftover", ["owner", "heir"])
def test_a_lock_whose_maker_died_before_signing_is_taken_over(clone: Clone, leftover: str) -> None:
    lock = clone.root / ".venv.lock"
    lock.mkdir()
    (lock / "heir").mkdir() if leftover == "heir" else (lock / "owner").touch()
    answer = clone.inv("smoke")
    assert answer.words == ["smoke"]
    assert not lock.exists()


def test_another_process_that_got_the_number_of_the_owner_does_not_hold_its_lock(clone: Clone) -> None:
    lock = clone.root / ".venv.lock"
    lock.mkdir()
    (lock / "owner").write_text(f"{os.getpid()} 1\n")
    assert clone.inv("smoke").words == ["smoke"]


def test_a_failed_call_leaves_no_lock(clone: Clone) -> None:
    clone.happens("while-pip-runs", "exit 1\n")
    assert clone.inv().code == 2
    assert not list(clone.root.glob(".venv.lock*"))
