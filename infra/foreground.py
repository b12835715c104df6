"""One command in the foreground, in a process group of its own: a person's signals go to that group alone."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

from infra.plan.ending import TESTS, Ladder, Word, due
from infra.signals import Signals

STDERR: Final = 2
LOOKS_EVERY = 0.01


@contextmanager
def watched() -> Iterator[Signals]:
    """Take the signals of a person for the body, and give the first one back at its end."""
    signals = Signals()
    try:
        with signals:
            yield signals
    except KeyboardInterrupt:
        if not signals.arrived:
            raise
    signals.give_back()


def start(
    argv: Sequence[str],
    folder: Path,
    variables: Mapping[str, str],
    signals: Signals,
    output: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a command that writes to stderr, or to `output`; from now on no signal raises here."""
    signals.hold()
    return subprocess.Popen(
        argv,
        cwd=folder,
        env=dict(variables),
        stdin=subprocess.DEVNULL,
        stdout=STDERR if output is None else output,
        stderr=output,
        start_new_session=True,
    )


def wait(
    child: subprocess.Popen[bytes], signals: Signals, ladder: Ladder = TESTS, *, sweeps: bool = True
) -> int:
    """Give the exit code of the command, under zero for a signal; a person's signals are handed to its group.

    After the first signal the ladder's steps follow; a second signal kills the group. With `sweeps` nothing
    of the group outlives the command.
    """
    arrivals: list[float] = []
    sent: list[Word] = []

    def arrive(number: signal.Signals) -> None:
        arrivals.append(time.monotonic())
        if len(arrivals) == 1:
            sent.append("SIGINT" if number == signal.SIGINT else "SIGTERM")
            _send(child.pid, sent[0])

    for number in signals.arrived:
        arrive(number)
    signals.on_arrival = arrive
    while not _has_ended(child):
        time.sleep(LOOKS_EVERY)
        word = due(arrivals, time.monotonic(), sent, ladder)
        if word:
            sent.append(word)
            _send(child.pid, word)
    if sweeps:
        _send(child.pid, "SIGKILL")  # before it is reaped: until then nobody else can have its number
    return child.wait()


def _has_ended(child: subprocess.Popen[bytes]) -> bool:
    """Tell whether it ended, without reaping it."""
    try:
        return psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def run(argv: Sequence[str], folder: Path, variables: Mapping[str, str]) -> int:
    """Give the exit code of a command that is started and waited for; nothing of its group outlives it."""
    with watched() as signals:
        return wait(start(argv, folder, variables, signals), signals)


def _send(group: int, word: Word) -> None:
    if not word:
        return
    try:
        os.killpg(group, signal.Signals[word])
    except (ProcessLookupError, PermissionError):
        return
