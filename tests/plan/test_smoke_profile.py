"""A smoke profile's text: read whole, or refused whole with file, row and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.model.errors import BadInput
from infra.plan.smoke_profile import parse_profile
from infra.verify.smoke_profiles import load_profile

HEAD = "profile: shop\nready: /health\nrows:\n"
ROW = "- {id: a, path: /, expect: {status: 200}, environments: [local]}\n"

FAULTS: dict[str, tuple[str, str]] = {
    "an empty file": ("", "a mapping"),
    "a list": ("[]", "a mapping"),
    "no YAML": ("rows: [", "line 2: did not find expected node"),
    "no rows": ("profile: shop\nready: /health\n", "rows"),
    "an empty profile": ("profile: shop\nready: /health\nrows: []", "rows"),
    "an unknown key": (HEAD + ROW + "color: red\n", "color: unknown key"),
    "an unknown key of a row": (
        HEAD + ROW.replace("path: /", "path: /, colour: red"),
        "row a: colour: unknown key",
    ),
    "an unknown expectation": (
        HEAD + ROW.replace("status: 200", "status: 200, contains: ok"),
        "row a: expect/contains: unknown key",
    ),
    "no status": (HEAD + ROW.replace("status: 200", "body: html"), "row a: expect/status"),
    "no such status": (HEAD + ROW.replace("200", "2000"), "row a: expect/status"),
    "an unknown body": (HEAD + ROW.replace("status: 200", "status: 200, body: xml"), "row a: expect/body"),
    "a path without a slash": (HEAD + ROW.replace("path: /", "path: health"), "row a: path"),
    "a whole address": (HEAD + ROW.replace("path: /", "path: 'http://a.example/'"), "row a: path"),
    "an unknown method": (HEAD + ROW.replace("path: /", "path: /, method: DELETE"), "row a: method"),
    "a write that is not declared": (HEAD + ROW.replace("path: /", "path: /, method: POST"), "`mode: write`"),
    "an unknown environment": (HEAD + ROW.replace("local", "locale"), "row a: environments"),
    "no environment": (HEAD + ROW.replace("[local]", "[]"), "row a: environments"),
    "a row that is no mapping": (HEAD + "- 7\n", "row 1"),
    "a row without id": (HEAD + ROW.replace("id: a, ", ""), "row 1: id"),
    "an id twice": (HEAD + ROW + ROW, "row a: the id is there 2 times"),
}


@pytest.mark.parametrize(("text", "fault"), FAULTS.values(), ids=FAULTS)
def test_a_faulty_profile_is_bad_input_that_names_file_and_place(text: str, fault: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_profile(text, "shop/smoke.yaml")
    assert refused.value.message.startswith("shop/smoke.yaml: ")
    assert fault in refused.value.message


def test_all_faults_come_at_once() -> None:
    wrong = ROW.replace("path: /", "path: x, colour: red")
    with pytest.raises(BadInput) as refused:
        parse_profile(HEAD + wrong + wrong, "shop/smoke.yaml")
    faults = [refused.value.message, *refused.value.evidence]
    assert len(faults) == 5
    assert all(fault.startswith("shop/smoke.yaml: row a: ") for fault in faults)


def test_a_good_profile_is_read_whole() -> None:
    (row,) = parse_profile(HEAD + ROW, "shop/smoke.yaml").rows
    assert (row.id, row.path, row.method, row.where, row.mode) == ("a", "/", "GET", "all", "readonly")
    assert str(row.expect) == "200"


def test_an_unknown_profile_is_bad_input_that_lists_the_known(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "smoke.yaml").write_text(HEAD + ROW, encoding="utf-8")
    assert load_profile("shop", tmp_path).profile == "shop"
    for name in ("shoe", "../shop", ""):
        with pytest.raises(BadInput, match="expected one of shop"):
            load_profile(name, tmp_path)


def test_the_shipped_profile_has_every_row_but_the_one_that_needs_a_vault() -> None:
    profile = load_profile("finance_report", Path(__file__).parents[2])
    assert {row.id.partition("-")[0] for row in profile.rows} == {str(number) for number in range(1, 13)}
