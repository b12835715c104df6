"""What a person's signals ask of the command that runs: the first one to stop, the second one to leave."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

HANG_UP = 1  # SIGHUP: a terminal that closes may send it twice
ONE_PRESS = 0.3
NAMES = {1: "SIGHUP", 2: "SIGINT", 15: "SIGTERM"}


class Interrupted(KeyboardInterrupt):
    """A person's signal as something that unwinds the stack; `number` is the signal's."""

    def __init__(self, number: int = 2) -> None:
        super().__init__(number)
        self.number = number

    @property
    def exit_code(self) -> int:
        """The exit code that shells know it by."""
        return 128 + self.number


class LeftAtOnce(Interrupted):
    """The second signal: nothing more is waited for, and nothing is put back."""


@dataclass(slots=True)
class Interruption:
    """The signals that arrived. By itself the first one raises Interrupted where it arrives.

    Inside `held` it is noted, and `require` raises it at the next place where the work may end. Inside
    `deferred` it is noted only, and raised at the end. The second one always raises LeftAtOnce.
    """

    arrived: list[int] = field(default_factory=list)
    at: float = 0.0
    _is_due: bool = False
    _held: int = 0
    _deferred: int = 0

    @property
    def is_due(self) -> bool:
        """True while a signal waits for the place where the work may end."""
        return self._is_due

    @property
    def number(self) -> int:
        """The number of the first signal; SIGINT's before one arrived."""
        return self.arrived[0] if self.arrived else 2

    @property
    def name(self) -> str:
        """The name of the first signal."""
        return NAMES.get(self.number, f"signal {self.number}")

    def arrive(self, number: int, now: float) -> None:
        """Take a signal; `now` is monotonic seconds.

        What comes together with the first one, or hangs up once more, is no second one.
        """
        if self.arrived:
            if number != HANG_UP and now - self.at > ONE_PRESS:
                raise LeftAtOnce(self.arrived[0])
            return
        self.arrived.append(number)
        self.at, self._is_due = now, True
        if not self._held:
            self.require()

    def require(self) -> None:
        """Return where nobody asked to stop; else raise Interrupted, once."""
        if self._is_due and not self._deferred:
            self._is_due = False
            raise Interrupted(self.arrived[0])

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let the first signal wait for `require` during the body; what is left of it raises at the end."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
        if not self._held:
            self.require()

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Let the body run to its end whatever the first signal asks."""
        self._deferred += 1
        try:
            with self.held():
                yield
        finally:
            self._deferred -= 1
        if not self._held:
            self.require()
