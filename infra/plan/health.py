"""What one answer of a health address means (spec: deploy.md 6)."""

from __future__ import annotations

import re
from typing import Any

from infra.model.answer import Answer, Category, NoAnswer

COMMIT = re.compile(r"[0-9a-f]{40}")
SHORTEST_PREFIX = 7


def classify(
    answer: Answer | NoAnswer, expected_sha: str | None, *, prefix_allowed: bool = False
) -> Category:
    """Give `ok` for a 200 whose JSON says exactly `healthy` and the expected commit, else what is wrong.

    `expected_sha` is the commit in 40 digits; None compares nothing. With `prefix_allowed` it may be the
    first 7 digits or more. A 503 is `unhealthy` only when its JSON says so.
    """
    if isinstance(answer, NoAnswer):
        return answer.category
    said = answer.json()
    status = said.get("status") if isinstance(said, dict) else None
    says_unhealthy = isinstance(status, str) and status != "healthy"
    if answer.status in {200, 503} and says_unhealthy:
        return Category.UNHEALTHY
    if answer.status != 200:
        return _of_status(answer.status)
    if status != "healthy":
        return Category.HTTP_OTHER
    if expected_sha is None or _is_same(said.get("git_sha"), expected_sha, prefix_allowed=prefix_allowed):
        return Category.OK
    return Category.WRONG_VERSION


def _of_status(status: int) -> Category:
    if status == 404:
        return Category.HTTP_404
    return Category.HTTP_5XX if 500 <= status <= 599 else Category.HTTP_OTHER


def _is_same(said: Any, expected: str, *, prefix_allowed: bool) -> bool:
    if not isinstance(said, str) or not COMMIT.fullmatch(said):
        return False
    is_prefix = prefix_allowed and len(expected) >= SHORTEST_PREFIX and said.startswith(expected)
    return said == expected or is_prefix
