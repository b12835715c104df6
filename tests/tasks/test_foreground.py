"""What runs in the foreground: its own group gets a person's signals, and nothing of it stays."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from infra import foreground
from infra.plan.ending import Ladder
from tests.waiting import until

QUICK: Ladder = ((0.3, "SIGKILL"),)
STUBBORN = "trap '' INT TERM; touch there; while :; do sleep 0.01; done"


def run(folder: Path, script: str, *numbers: signal.Signals, ladder: Ladder = QUICK) -> int:
    """Give the code of a shell script; the signals come once it has made the file `there`."""
    with foreground.watched() as signals:

        def act() -> None:
            for count, number in enumerate(numbers):
                until((folder / "there").exists)
                os.kill(os.getpid(), number)
                while len(signals.arrived) <= count:
                    time.sleep(0.01)

        beside = threading.Thread(target=act)
        beside.start()
        child = foreground.start(["/bin/sh", "-c", script], folder, dict(os.environ), signals)
        code = foreground.wait(child, signals, ladder)
        beside.join()
        (folder / "code").write_text(str(code), encoding="utf-8")
    return code


@pytest.fixture(autouse=True)
def default_handler() -> Iterator[None]:
    """SIGINT raises as in a plain interpreter: importing the tasks, as other tests do, makes it exit."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen(["/bin/sh", "-c", "while :; do sleep 0.01; done"])
    yield child
    child.kill()
    child.wait()


@pytest.mark.parametrize("code", [0, 1, 3])
def test_the_code_is_given_as_it_is(tmp_path: Path, code: int) -> None:
    assert run(tmp_path, f"exit {code}") == code


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_a_signal_ends_the_group_and_is_given_back_at_the_end(
    tmp_path: Path, number: str, stranger: subprocess.Popen[bytes]
) -> None:
    got: list[int] = []
    wanted = signal.Signals[number]
    before = signal.signal(wanted, lambda arrived, _frame: got.append(arrived))
    try:
        run(tmp_path, "touch there; while :; do sleep 0.01; done", wanted)
    finally:
        signal.signal(wanted, before)
    assert got == [wanted]
    assert int((tmp_path / "code").read_text(encoding="utf-8")) != 0
    assert stranger.poll() is None, "another process of the same command lives on"


def test_a_group_that_does_not_listen_is_killed_after_its_time(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, STUBBORN, signal.SIGINT)
    assert (tmp_path / "code").read_text(encoding="utf-8") == str(-signal.SIGKILL)


def test_a_second_signal_skips_the_wait(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, STUBBORN, signal.SIGINT, signal.SIGINT, ladder=((60.0, "SIGKILL"),))
    assert time.monotonic() - began < 10


def test_what_a_command_leaves_in_its_group_does_not_outlive_it(tmp_path: Path) -> None:
    assert run(tmp_path, "sleep 600 & echo $! > left; exit 0") == 0
    left = int((tmp_path / "left").read_text(encoding="utf-8"))
    until(lambda: not psutil.pid_exists(left) or psutil.Process(left).status() == psutil.STATUS_ZOMBIE)
