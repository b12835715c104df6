"""The one way in which a test waits for what another process or thread does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 60.0  # seconds: no test asserts it, so it may outlast a machine that is busy or short of disk
T = TypeVar("T")


def until(
    condition: Callable[[], T],
    seconds: float = PATIENCE,
    *,
    every: float = 0.02,
    seen: Callable[[], object] | None = None,
) -> T:
    """Wait for a condition and give what came of it; a test fails otherwise, and says what was `seen`."""
    deadline = time.monotonic() + seconds
    while not (met := condition()):
        assert time.monotonic() < deadline, f"not in {seconds:.0f} s{f': {seen()}' if seen else ''}"
        time.sleep(every)
    return met
