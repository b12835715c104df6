"""Which migrations a way back undoes."""

from __future__ import annotations

import pytest

from infra.model.errors import BadInput
from infra.plan.steps_back import steps_back

KNOWN = [{"revision": f"000{n}", "predecessor": f"000{n - 1}" if n > 1 else ""} for n in (3, 2, 1)]


@pytest.mark.parametrize(
    ("at", "to", "undone"),
    [
        ("0003", "0001", ["0003", "0002"]),
        ("0003", "base", ["0003", "0002", "0001"]),
        ("0002", "0002", []),
        ("", "base", []),
    ],
)
def test_the_newest_is_undone_first_and_the_one_that_is_named_stays(
    at: str, to: str, undone: list[str]
) -> None:
    assert [one["revision"] for one in steps_back(KNOWN, at, to)] == undone


@pytest.mark.parametrize(
    ("at", "to", "said"),
    [
        ("0001", "0003", "'0003' is ahead of 0001"),
        ("", "0001", "'0001' is ahead of no revision"),
        ("0003", "0009", "'0009' is no migration"),
        ("0004", "0001", "at 0004, which the checkout does not have"),
    ],
)
def test_a_place_that_no_way_back_leads_to_is_refused(at: str, to: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        steps_back(KNOWN, at, to)
