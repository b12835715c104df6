"""The signals of a person: taken for the length of a command, and of what it runs in the foreground."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Self

from infra.model.interruption import Interruption

WATCHED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def handled() -> tuple[signal.Signals, ...]:
    """Give the signals that a command takes; a hang-up that is ignored stays so (nohup)."""
    return tuple(one for one in WATCHED if one != signal.SIGHUP or signal.getsignal(one) != signal.SIG_IGN)


@contextmanager
def taken(interruption: Interruption) -> Iterator[None]:
    """Hand the signals that arrive during the body to `interruption`, which may raise where they arrive."""

    def arrive(number: int, _frame: FrameType | None) -> None:
        interruption.arrive(number, time.monotonic())

    before = {number: signal.signal(number, arrive) for number in handled()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Signals:
    """Takes the signals of a person for the length of a body, and gives the first one back at the end.

    Before `hold` the first signal raises KeyboardInterrupt. Afterwards signals are noted and handed to
    `on_arrival`; nothing is raised, so that clean-up runs to its end.
    """

    def __init__(self) -> None:
        self.arrived: list[signal.Signals] = []
        self.on_arrival: Callable[[signal.Signals], None] = lambda _number: None
        self._raises = True
        self._terminals = [number for number in (0, 1, 2) if os.isatty(number)]
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        for number in handled():
            self._before[number] = signal.signal(number, self._arrive)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal.signal gave

    def hold(self) -> None:
        """Raise nothing from now on."""
        self._raises = False

    def give_back(self) -> None:
        """Raise the first signal again, for whoever handled it before."""
        if self.arrived:
            signal.raise_signal(self.arrived[0])

    def _arrive(self, number: int, _frame: FrameType | None) -> None:
        self.arrived.append(signal.Signals(number))
        if number == signal.SIGHUP:
            self._leave_terminal()
        if self._raises:
            self.hold()
            raise KeyboardInterrupt
        self.on_arrival(self.arrived[-1])

    def _leave_terminal(self) -> None:
        """Speak to nobody where a terminal was: writing to one that is gone would fail."""
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in self._terminals:
            os.dup2(nowhere, number)
        os.close(nowhere)
