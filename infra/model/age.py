"""How old something is by a clock that may have jumped: seconds, or doubt. In doubt nothing is removed."""

from __future__ import annotations

from datetime import datetime

APART = 60.0
DOUBT = "made in the future: a clock is wrong, or was"


def age(made: datetime, now: datetime) -> float | None:
    """Give the seconds since a moment, 0 or more; None when it lies more than a minute ahead.

    Clocks that agree are less than a minute apart. Further ahead one of them was wrong, and no age is known.
    """
    seconds = (now - made).total_seconds()
    return max(0.0, seconds) if seconds >= -APART else None


def in_words(seconds: float | None) -> str:
    """Give an age in its largest unit, or the doubt."""
    if seconds is None:
        return DOUBT
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit}"
    return f"{seconds:.0f} s"
