"""Ages by clocks that may have jumped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from infra.model.age import DOUBT, age, in_words

NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("made", "expected"),
    [(0.0, 0.0), (-90.0, 90.0), (1.0, 0.0), (60.0, 0.0), (60.1, None), (86_400.0 * 365, None)],
)
def test_a_moment_ahead_of_all_clocks_gives_no_age(made: float, expected: float | None) -> None:
    assert age(NOW + timedelta(seconds=made), NOW) == expected


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0 s"),
        (59.0, "59 s"),
        (60.0, "1 min"),
        (7200.0, "2 h"),
        (172_800.0, "2 d"),
        (None, DOUBT),
    ],
)
def test_an_age_is_told_in_its_largest_unit_and_a_doubt_as_one(seconds: float | None, words: str) -> None:
    assert in_words(seconds) == words
