"""How what runs in the foreground is ended: which signal it gets, and when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

Word = Literal["", "SIGINT", "SIGTERM", "SIGKILL"]
Ladder = tuple[tuple[float, Word], ...]
TESTS: Ladder = ((10.0, "SIGTERM"), (15.0, "SIGKILL"))
SERVERS: Ladder = ((5.0, "SIGKILL"),)


def due(arrivals: Sequence[float], now: float, sent: Sequence[Word], ladder: Ladder = TESTS) -> Word:
    """Give the signal that is due now, empty for none.

    `arrivals` are the moments at which a person asked for the end. The steps of the ladder follow so many
    seconds after the first one; a second one skips the waits.
    """
    if not arrivals or "SIGKILL" in sent:
        return ""
    if len(arrivals) > 1:
        return "SIGKILL"
    waited = now - arrivals[0]
    passed = [word for after, word in ladder if waited >= after]
    return passed[-1] if passed and passed[-1] not in sent[1:] else ""
