"""Which processes and buckets nobody owns any more."""

from __future__ import annotations

import pytest

from infra.plan.buckets import is_leaked
from infra.plan.leftovers import Owners, Standing, why_kept

UNIT, ATTENDED, LEFT = Standing("backend", 7), Standing("backend", 7, 99), Standing("backend", 7, 0)
WORDS = ("test run 4711",)
CASES = {
    "a unit that its supervisor keeps": (UNIT, Owners([7, 8]), "its supervisor keeps it"),
    "a doubled unit": (UNIT, Owners([8]), ""),
    "a unit that its supervisor does not know": (UNIT, Owners([]), ""),
    "a unit without supervisor": (UNIT, Owners(None), ""),
    "a unit without supervisor that tests use": (UNIT, Owners(None, WORDS), "used by test run 4711"),
    "a doubled unit while tests run": (UNIT, Owners([8], WORDS), ""),
    "a development server with its command": (ATTENDED, Owners([]), "pid 99 attends to it"),
    "a development server whose command was killed": (LEFT, Owners([7]), ""),
}


@pytest.mark.parametrize(("process", "owners", "expected"), CASES.values(), ids=CASES)
def test_a_process_stays_as_long_as_somebody_owns_it(
    process: Standing, owners: Owners, expected: str
) -> None:
    assert why_kept(process, owners) == expected


@pytest.mark.parametrize(
    ("bucket", "leaked"),
    [
        ("statements", False),
        ("statements-pr-4", False),
        ("statements-pr-47", True),
        ("statements-pr-470", True),
        ("statements-pr", True),
        ("statements-pr_4", False),
        ("statements-", False),
        ("statementsX-pr-47", False),
        ("my-statements-pr-47", False),
        ("other", False),
    ],
)
def test_a_bucket_is_leaked_when_it_is_exactly_a_namespaces_that_nobody_owns(
    bucket: str, *, leaked: bool
) -> None:
    assert is_leaked(bucket, "statements", {"statements-pr-4"}) is leaked
