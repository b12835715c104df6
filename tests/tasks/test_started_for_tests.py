"""Servers that were started for tests are known again, also by the note of the version before."""

from __future__ import annotations

import pytest

from infra.cleanup.entries import _is_same
from infra.model.observed import Running

SEEN = Running("postgres", "7@20.25", 1_800_000_020.25, "bundle", "deploy")


@pytest.mark.parametrize(
    ("noted", "is_same"),
    [
        ("7@20.25", True),
        ("7@1800000020.25", True),
        ("8@20.25", False),
        ("7@20.26", False),
        ("7@1800000099.00", False),
    ],
)
def test_a_process_is_the_one_that_was_noted_by_its_number_and_start(noted: str, is_same: bool) -> None:
    assert _is_same(noted, SEEN) is is_same
