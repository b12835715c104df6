"""The rows are data: each has its check, each check its row, and none is there twice or missing."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

import finance_report
from infra.accept.checks import CHECKS
from infra.accept.rows import load
from infra.model.acceptance import Area, Row
from infra.model.errors import BadInput
from infra.plan.acceptance import choose, parse_area, require_once
from tasks.root import ROOT

AREAS = load(finance_report.PROJECT, ROOT)
ROWS = [row for area in AREAS for row in area.rows]
COUNTED = {
    "ENV": 24,
    "TEST": 33,
    "DEV": 9,
    "SMOKE": 15,
    "CLEAN": 11,
    "LEAK": 9,
    "DEP": 34,
    "PRV": 12,
    "CI": 13,
    "REL": 17,
    "SEC": 19,
    "KEY": 7,
    "BAK": 6,
    "MON": 4,
    "DOC": 5,
    "HOST": 31,
    "DASH": 32,
}
SEED = {1: 3, 2: 5, 3: 5, 4: 6, 5: 5, 6: 2, 7: 2, 8: 3, 9: 8}
GOOD = "area: X\ntitle: words\nrows:\n  - {id: X-1, promise: a, real: [F], unknown: not built}\n"


def test_every_promise_has_its_row() -> None:
    promised = {f"{area}-{number}" for area, last in COUNTED.items() for number in range(1, last + 1)}
    promised |= {f"AC7.{part}.{number}" for part, last in SEED.items() for number in range(1, last + 1)}
    assert {row.id for row in ROWS} == promised
    assert len(ROWS) == len(promised) == 320


def test_every_row_of_an_area_is_named_after_it() -> None:
    assert {area.area for area in AREAS} == {*COUNTED, "AC"}
    assert [row.id for area in AREAS for row in area.rows if not row.id.startswith(area.area)] == []


@pytest.mark.parametrize("row", [row for row in ROWS if row.run], ids=lambda row: str(row.id))
def test_what_a_row_runs_exists_and_takes_what_it_is_given(row: Row) -> None:
    for step in row.run:
        inspect.signature(CHECKS[step.check]).bind(object(), **step.given)


def test_every_check_is_named_by_a_row() -> None:
    assert set(CHECKS) == {step.check for row in ROWS for step in row.run}


def test_every_test_that_a_row_names_exists() -> None:
    wanted = {node for row in ROWS for node in row.tests}
    assert {node for node in wanted if _plain(node) not in _known(node)} == set()


def _plain(node: str) -> str:
    return node.partition("[")[0].rpartition("::")[2]


def _known(node: str) -> set[str]:
    """Give the names of all test functions of the file of a node."""
    file = ROOT / node.partition("::")[0]
    tree = ast.parse(file.read_text(encoding="utf-8")) if file.exists() else ast.Module([], [])
    return {one.name for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)}


def test_a_row_that_says_unknown_says_why() -> None:
    assert [row.id for row in ROWS if row.unknown and len(row.unknown.split()) < 2] == []


def test_the_row_that_counts_the_contract_tests_of_isolation_names_15_of_them() -> None:
    [row] = [row for row in ROWS if row.id == "TEST-24"]
    assert len(set(row.tests)) >= 15


def area(text: str) -> Area:
    return parse_area(text, "x.yaml")


FAULTS = {
    "no check and no word why": (GOOD.replace(", unknown: not built", ""), "else `unknown` with the reason"),
    "a check and a word why not": (
        GOOD.replace("[F],", "[F], tests: [a],"),
        "else `unknown` with the reason",
    ),
    "a component that is none": (GOOD.replace("[F]", "[XX]"), "rows/0/real/0"),
    "no component": (GOOD.replace("[F]", "[]"), "rows/0/real"),
    "a key that nobody reads": (GOOD.replace("promise: a", "promise: a, by: me"), "rows/0/by"),
    "an id of another form": (GOOD.replace("X-1", "x1"), "rows/0/id"),
    "no YAML": ("rows: [", "x.yaml"),
    "no rows": ("area: X\ntitle: words\nrows: []\n", "rows"),
}


@pytest.mark.parametrize(("text", "words"), FAULTS.values(), ids=FAULTS)
def test_a_faulty_file_is_refused_with_file_and_place(text: str, words: str) -> None:
    with pytest.raises(BadInput) as refused:
        area(text)
    assert words in refused.value.message
    assert refused.value.message.startswith("x.yaml")


def test_an_id_or_an_area_that_is_there_twice_is_refused() -> None:
    with pytest.raises(BadInput, match="X") as refused:
        require_once([area(GOOD), area(GOOD)])
    assert "X-1" in str(refused.value.evidence)


def test_rows_are_chosen_by_id_and_by_area_and_all_of_them_by_nothing() -> None:
    assert choose(AREAS, [], []) == AREAS
    chosen = choose(AREAS, ["smoke-3", "AC7.1.1"], ["doc"])
    assert [row.id for one in chosen for row in one.rows] == [
        "AC7.1.1", *(f"DOC-{number}" for number in range(1, 6)), "SMOKE-3",
    ]  # fmt: skip


@pytest.mark.parametrize(("ids", "areas", "near"), [(["SMOK-1"], [], "SMOKE-1"), ([], ["SMOKES"], "SMOKE")])
def test_what_is_not_there_is_refused_with_what_is_near(ids: list[str], areas: list[str], near: str) -> None:
    with pytest.raises(BadInput, match="no such") as refused:
        choose(AREAS, ids, areas)
    assert near in refused.value.message
    assert near in refused.value.next_step


def test_a_project_without_rows_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no rows of acceptance"):
        load(finance_report.PROJECT, tmp_path)
