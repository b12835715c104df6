"""The application's pytest, in a process group of its own, and everything that it started."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import psutil

from infra.plan.ending import Word, due
from infra.targets.process import processes
from infra.testing.signals import Signals

MARK: Final = "INFRA_TEST_RUN"
STDERR: Final = 2
LOOKS_EVERY = 0.01
GRACE = 2.0


def run(argv: Sequence[str], folder: Path, variables: Mapping[str, str], signals: Signals) -> int:
    """Give the exit code of this command, under zero for a signal; a person's signals are handed to it.

    Its output goes to stderr. After the first signal it has 10 s, then 5 s more after SIGTERM.
    """
    arrivals: list[float] = []
    sent: list[Word] = []
    signals.hold()
    child = subprocess.Popen(
        argv, cwd=folder, env=dict(variables), stdin=subprocess.DEVNULL, stdout=STDERR, start_new_session=True
    )

    def arrive(number: signal.Signals) -> None:
        arrivals.append(time.monotonic())
        if len(arrivals) == 1:
            sent.append("SIGINT" if number == signal.SIGINT else "SIGTERM")
            _send(child.pid, sent[0])

    for number in signals.arrived:
        arrive(number)
    signals.on_arrival = arrive
    while child.poll() is None:
        time.sleep(LOOKS_EVERY)
        word = due(arrivals, time.monotonic(), sent)
        if word:
            sent.append(word)
            _send(child.pid, word)
    return child.returncode


def end_all(run_id: str, *, grace: float = GRACE) -> list[int]:
    """End every process that carries the mark of a run, whatever group it went to; give those that stay."""
    left = processes.end(_marked(run_id), grace)
    return [process.pid for process in left]


def _marked(run_id: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == run_id:
                yield process
        except (psutil.Error, OSError):
            continue


def _send(group: int, word: Word) -> None:
    if not word:
        return
    try:
        os.killpg(group, signal.Signals[word])
    except (ProcessLookupError, PermissionError):
        return
