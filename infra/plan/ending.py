"""How a test run's processes are ended: which signal they get, and when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

Word = Literal["", "SIGINT", "SIGTERM", "SIGKILL"]
ASKED_FOR = 10.0
TOLD_FOR = 5.0


def due(arrivals: Sequence[float], now: float, sent: Sequence[Word]) -> Word:
    """Give the signal that is due now, empty for none.

    `arrivals` are the moments at which a person asked for the end: 10 s after the first one comes SIGTERM,
    5 s later SIGKILL; a second one skips these waits.
    """
    if not arrivals or "SIGKILL" in sent:
        return ""
    waited = now - arrivals[0]
    if len(arrivals) > 1 or waited >= ASKED_FOR + TOLD_FOR:
        return "SIGKILL"
    return "SIGTERM" if waited >= ASKED_FOR and "SIGTERM" not in sent[1:] else ""
