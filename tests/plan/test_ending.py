"""How a development server is ended; a test run's ladder stands in test_turns.py."""

from __future__ import annotations

import pytest

from infra.plan.ending import SERVERS, Word, due


@pytest.mark.parametrize(
    ("arrivals", "now", "sent", "expected"),
    [
        ([], 100, [], ""),
        ([0], 4.9, ["SIGINT"], ""),
        ([0], 5, ["SIGINT"], "SIGKILL"),
        ([0], 99, ["SIGTERM", "SIGKILL"], ""),
        ([0, 0.1], 0.2, ["SIGTERM"], "SIGKILL"),
    ],
)
def test_a_development_server_has_five_seconds_and_none_after_a_second_signal(
    arrivals: list[float], now: float, sent: list[Word], expected: Word
) -> None:
    assert due(arrivals, now, sent, SERVERS) == expected
