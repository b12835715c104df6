"""The suite's processes: their codes, a person's signals, and that none of them stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from infra.model.interruption import Interruption
from infra.signals import Signals, taken
from infra.testing import suite
from tests.waiting import until


def run(folder: Path, script: str, act: Callable[[], None] | None = None) -> tuple[int, list[str]]:
    """Give the code of a shell script and the signals that arrived; `act` runs beside it."""
    beside = threading.Thread(target=act or (lambda: None))
    with Signals() as signals:
        beside.start()
        words = {"PATH": os.environ["PATH"], "INFRA_TEST_RUN": "run-1"}
        code = suite.run(["/bin/sh", "-c", script], folder, words, signals, lambda _text: None)
    beside.join()
    return code, [one.name for one in signals.arrived]


def when_there(file: Path, *numbers: signal.Signals) -> Callable[[], None]:
    def act() -> None:
        until(file.exists)
        for number in numbers:
            os.kill(os.getpid(), number)
            time.sleep(0.1)

    return act


@pytest.fixture(autouse=True)
def hang_ups() -> Iterator[None]:
    """SIGHUP is not ignored here, also where somebody started the tests with nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("code", [0, 1, 2, 4, 5])
def test_the_code_of_the_suite_is_given_as_it_is(tmp_path: Path, code: int) -> None:
    assert run(tmp_path, f"exit {code}") == (code, [])


@pytest.mark.parametrize(
    ("number", "passed_on"), [("SIGINT", "INT"), ("SIGTERM", "TERM"), ("SIGHUP", "TERM")]
)
def test_a_signal_is_handed_to_the_whole_group_and_raises_nothing_here(
    tmp_path: Path, number: str, passed_on: str
) -> None:
    script = f"trap 'echo got > got; exit 7' {passed_on}; touch there; while :; do sleep 0.01; done"
    act = when_there(tmp_path / "there", signal.Signals[number])
    assert run(tmp_path, script, act) == (7, [number])
    assert (tmp_path / "got").exists()


def test_a_second_ctrl_c_ends_at_once_a_suite_that_does_not_listen(tmp_path: Path) -> None:
    script = "trap '' INT TERM; touch there; while :; do sleep 0.01; done"
    began = time.monotonic()
    code, arrived = run(tmp_path, script, when_there(tmp_path / "there", signal.SIGINT, signal.SIGINT))
    assert (code, arrived) == (-signal.SIGKILL, ["SIGINT", "SIGINT"])
    assert time.monotonic() - began < 5


def test_a_signal_before_the_suite_begins_ends_what_is_being_done_and_no_later_one_does() -> None:
    def both() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGTERM)
            cleaned.append(True)

    cleaned: list[bool] = []
    with Signals() as signals, pytest.raises(KeyboardInterrupt):
        both()
    assert (cleaned, signals.arrived[0]) == ([True], signal.SIGTERM)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_the_handlers_of_before_get_the_first_signal_at_the_end(number: signal.Signals) -> None:
    got: list[int] = []
    before = signal.signal(number, lambda number, _frame: got.append(number))
    try:
        with Signals() as signals:
            signals.hold()
            signal.raise_signal(number)
        signals.give_back()
    finally:
        signal.signal(number, before)
    assert got == [number]


def test_a_hang_up_that_was_ignored_before_stays_ignored() -> None:
    """As `nohup` asks for; SIGINT and SIGTERM are taken all the same."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with Signals() as signals, taken(Interruption()):
        signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) != signal.SIG_DFL
    assert signals.arrived == []


def test_a_process_that_left_the_group_is_ended_by_its_mark(tmp_path: Path) -> None:
    """As browsers do: they lead a session of their own."""
    leave = "import subprocess as it; print(it.Popen(['sleep', '600'], start_new_session=True).pid)"
    assert run(tmp_path, f'{sys.executable} -c "{leave}" > driver')[0] == 0
    driver = psutil.Process(int((tmp_path / "driver").read_text()))
    other = subprocess.Popen(["sleep", "600"], env={**os.environ, "INFRA_TEST_RUN": "run-12"})
    try:
        assert driver.is_running()
        assert suite.end_all("run-1") == []
        until(lambda: not driver.is_running() or driver.status() == psutil.STATUS_ZOMBIE)
        assert other.poll() is None, "another run's process stays"
    finally:
        other.kill()
        other.wait()
