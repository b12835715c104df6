"""Times a few requests to one path and judges the 95th percentile of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil

from infra.model.answer import Answer, NoAnswer
from infra.model.smoke_report import Result, Verdict

REQUESTS = 10
WARN_SECONDS = 2.0


def time_path(path: str, get: Callable[[str], Answer | NoAnswer], limit: float | None) -> Result:
    """Give the timing of one path: over 2 s warns, over `limit` seconds fails, an answer but 200 fails."""
    answers = [get(path) for _ in range(REQUESTS)]
    slow = percentile_95([one.ms for one in answers])
    bad = [one for one in answers if not isinstance(one, Answer) or one.status != 200]
    seconds = slow / 1000
    verdict: Verdict = "warn" if seconds > WARN_SECONDS else "pass"
    if bad or (limit is not None and seconds > limit):
        verdict = "fail"
    got = f"p95 {seconds:.3f} s of {REQUESTS} requests" + (f", {len(bad)} failed: {bad[0]}" if bad else "")
    return Result("timing", path, f"p95 at most {limit or WARN_SECONDS:g} s", got, slow, verdict)


def percentile_95(values: Sequence[float]) -> float:
    """Give the smallest value that at least 95 % of the values do not exceed (nearest rank)."""
    return sorted(values)[ceil(0.95 * len(values)) - 1]
