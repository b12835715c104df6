"""What evidence makes of a row: the worst of it counts, and nothing is ok without its real components."""

from __future__ import annotations

from typing import Any

import pytest

from infra.model.acceptance import Evidence, Row
from infra.plan.acceptance import counts, judge, proven_by

STACK = frozenset({"APP", "PG", "RD"})
OK, FAIL, UNKNOWN = Evidence("ok", "good", STACK), Evidence("fail", "bad"), Evidence("unknown", "who knows")


def row(*real: str, **more: Any) -> Row:
    return Row.model_validate({"id": "X-1", "promise": "p", "real": real, "tests": ["t"], **more})


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        ([OK], "ok"),
        ([OK, UNKNOWN], "unknown"),
        ([OK, UNKNOWN, FAIL], "fail"),
        ([UNKNOWN], "unknown"),
        ([], "unknown"),
    ],
)
def test_the_worst_evidence_decides_and_stands_first(seen: list[Evidence], state: str) -> None:
    found = judge(row("F"), seen)
    assert found.state == state
    assert len(seen) < 2 or found.evidence.startswith({"fail": "bad", "unknown": "who knows"}[state])


@pytest.mark.parametrize(
    ("real", "state"), [(("F",), "ok"), (("PG",), "ok"), (("APP", "DK"), "unknown"), (("VT",), "unknown")]
)
def test_good_evidence_without_the_real_component_is_unknown(real: tuple[str, ...], state: str) -> None:
    found = judge(row(*real), [OK])
    assert found.state == state
    assert found.evidence.startswith("good" if state == "ok" else f"without a real {real[-1]}")


def test_components_of_all_evidence_count_together() -> None:
    vault = Evidence("ok", "opened", frozenset({"VT"}))
    assert judge(row("VT", "PG"), [OK, vault]).state == "ok"


def test_a_failure_stays_one_where_a_component_is_missing_as_well() -> None:
    assert judge(row("DK"), [FAIL]).state == "fail"


def test_a_row_that_nothing_proves_says_why() -> None:
    found = judge(row("F", tests=[], unknown="not built"), [])
    assert (found.state, found.evidence) == ("unknown", "not built")
    assert counts([found]) == {"ok": 0, "fail": 0, "unknown": 1}


def outcome(state: str, *real: str, said: str = "") -> dict[str, Any]:
    return {"outcome": state, "said": said, "real": list(real)}


def test_a_node_stands_for_all_its_cases_and_for_no_other_test() -> None:
    ran = {
        "t.py::test_a[1]": outcome("passed", "PG"),
        "t.py::test_a[2]": outcome("passed"),
        "t.py::test_ab": outcome("failed"),
        "t.py::TestB::test_c": outcome("passed"),
    }
    assert proven_by(ran, ["t.py::test_a", "t.py::TestB"]) == Evidence(
        "ok", "pytest: 3 passed of t.py::test_a, t.py::TestB", frozenset({"PG"})
    )
    assert proven_by(ran, ["t.py::test_a[1]"]).state == "ok"


@pytest.mark.parametrize(
    ("ran", "state", "words"),
    [
        ({"t::a": outcome("failed", said="1 is not 2")}, "fail", "t::a failed: 1 is not 2"),
        ({"t::a": outcome("skipped", said="no Vault here")}, "unknown", "t::a: no Vault here"),
        ({}, "unknown", "t::a was not run"),
        ({"t::a[1]": outcome("passed"), "t::a[2]": outcome("failed")}, "fail", "t::a[2] failed"),
        ({"t::a[1]": outcome("passed"), "t::a[2]": outcome("skipped")}, "unknown", "t::a[2]"),
    ],
)
def test_a_test_that_did_not_pass_is_told_by_name(ran: dict[str, Any], state: str, words: str) -> None:
    found = proven_by(ran, ["t::a"])
    assert found.state == state
    assert words in found.text
