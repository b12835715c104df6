"""Acceptance itself can fail: a check, a test, a stack that does not start, a wrong wish."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import finance_report
from infra.accept import runner
from infra.accept.ground import Disproved, Ground, NotHere, on_files, on_stack
from infra.accept.throwaway import Throwaway
from infra.invocation import Command
from infra.model.acceptance import Evidence
from infra.model.errors import CannotTell, Refused
from tasks.conduct import conduct
from tasks.root import ROOT

ROW = "  - {{id: X-{0}, promise: promise {0}, real: [{1}], {2}}}\n"
Answer = tuple[int, dict[str, Any]]
Accept = Callable[..., Answer]


def good(_ground: Ground, word: str = "") -> Evidence:
    return on_files(f"looked {word}".strip())


def bad(_ground: Ground) -> Evidence:
    raise Disproved("GET /: 500, not 200")


def refused(_ground: Ground) -> Evidence:
    raise Refused("a guard said no")


def not_here(_ground: Ground) -> Evidence:
    raise NotHere("git is not on PATH")


def breaks(_ground: Ground) -> Evidence:
    raise KeyError("facts")


def needs_stack(ground: Ground) -> Evidence:
    return on_stack(ground.stack.url)


CHECKS = {check.__name__: check for check in (good, bad, refused, not_here, breaks, needs_stack)}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "infra").symlink_to(ROOT / "infra")
    (tmp_path / "tests").mkdir()
    return tmp_path


@pytest.fixture
def accept(root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Accept:
    """Run acceptance on rows of one's own, with checks of one's own, in a checkout of one's own."""
    monkeypatch.setattr(runner, "CHECKS", CHECKS)
    project = replace(finance_report.PROJECT, acceptance="rows")

    def run(*rows: tuple[str, str], as_json: bool = True, **wishes: Any) -> Answer:
        (root / "rows").mkdir(exist_ok=True)
        lines = [ROW.format(number, *row) for number, row in enumerate(rows, 1)]
        (root / "rows/x.yaml").write_text(f"area: X\ntitle: t\nrows:\n{''.join(lines)}", encoding="utf-8")

        def body(this: Command) -> None:
            here = Command(this.outcome, this.console, this.redactor, root, this.variables)
            runner.accept(here, project, wishes.pop("env", None), runner.Wishes(**wishes))

        code = conduct("accept", body, {"json": as_json})
        told = capsys.readouterr().out
        return code, json.loads(told) if as_json else {"out": told}

    return run


def states(answer: dict[str, Any]) -> list[str]:
    return [row["state"] for row in answer["facts"]["rows"]]


def test_rows_without_a_failure_are_exit_0_also_where_some_are_unknown(accept: Accept) -> None:
    code, answer = accept(("F", "run: [{check: good, word: twice}]"), ("F", "unknown: not built"))
    assert (code, states(answer)) == (0, ["ok", "unknown"])
    assert answer["facts"]["rows"][0] == {"id": "X-1", "state": "ok", "evidence": "looked twice"}
    assert answer["facts"]["counts"] == {"ok": 1, "fail": 0, "unknown": 1}


@pytest.mark.parametrize(
    ("check", "state", "words"),
    [
        ("bad", "fail", "bad: GET /: 500, not 200"),
        ("refused", "fail", "refused: a guard said no"),
        ("breaks", "fail", "breaks broke: KeyError: 'facts'"),
        ("not_here", "unknown", "not_here: git is not on PATH"),
    ],
)
def test_a_check_that_does_not_prove_its_row_is_told_and_only_a_failure_is_exit_1(
    accept: Accept, check: str, state: str, words: str
) -> None:
    code, answer = accept(("F", f"run: [{{check: good}}, {{check: {check}}}]"), ("F", "run: [{check: good}]"))
    assert (code, states(answer)) == (1 if state == "fail" else 0, [state, "ok"])
    assert answer["facts"]["rows"][0]["evidence"].startswith(words)
    assert [error["next"] for error in answer["errors"]] == ["./inv accept --id X-1"] * code


def test_rows_that_name_the_same_check_share_one_run(accept: Accept, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def looks(_ground: Ground, word: str) -> Evidence:
        seen.append(word)
        return on_files("seen")

    monkeypatch.setitem(CHECKS, "good", looks)
    step = "run: [{check: good, word: same}]"
    assert (
        states(accept(("F", step), ("F", step), ("F", "run: [{check: good, word: other}]"))[1]) == ["ok"] * 3
    )
    assert seen == ["same", "other"]


def test_a_stack_that_does_not_start_leaves_its_rows_unknown_with_the_cause(
    accept: Accept, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_self: Throwaway) -> None:
        raise CannotTell("the throw-away stack does not start: no space left")

    monkeypatch.setattr(Throwaway, "repair", broken)
    code, answer = accept(("PG", "run: [{check: needs_stack}]"), ("F", "run: [{check: good}]"))
    assert (code, states(answer)) == (0, ["unknown", "ok"])
    assert "no space left" in answer["facts"]["rows"][0]["evidence"]


TESTS = """
import pytest

def test_good(): pass
def test_bad(): assert 1 == 2
def test_skipped(): pytest.skip("no Vault here")

@pytest.mark.parametrize("one", [1, 2])
def test_cases(one): assert one < 2

@pytest.fixture
def broken(): raise RuntimeError("no server")

def test_without_ground(broken): pass

@pytest.mark.real
def test_on_servers(): pass

@pytest.mark.real("VT")
def test_on_vault(): pass
"""


def node(name: str) -> str:
    return f"tests: ['tests/test_them.py::{name}']"


PROVEN = {
    "good": (("F", node("test_good")), "ok", "1 passed"),
    "bad": (("F", node("test_bad")), "fail", "test_bad failed: assert 1 == 2"),
    "skipped": (("F", node("test_skipped")), "unknown", "Skipped: no Vault here"),
    "one bad case": (("F", node("test_cases")), "fail", "test_cases[2] failed"),
    "the good case": (("F", node("test_cases[1]")), "ok", "1 passed"),
    "a fixture that fails": (("F", node("test_without_ground")), "fail", "RuntimeError: no server"),
    "no such test": (("F", node("test_nowhere")), "unknown", "was not run"),
    "no such file": (("F", "tests: ['tests/test_gone.py::test_a']"), "unknown", "was not run"),
    "a file that does not parse": (("F", "tests: ['tests/test_torn.py::test_a']"), "unknown", "was not run"),
    "a stack where a stack is needed": (("PG, RD", node("test_on_servers")), "ok", "1 passed"),
    "a stack where a Vault is needed": (("VT", node("test_on_servers")), "unknown", "without a real VT"),
    "a Vault where a Vault is needed": (("VT", node("test_on_vault")), "ok", "1 passed"),
    "nothing where a stack is needed": (("APP", node("test_good")), "unknown", "without a real APP"),
}


def test_a_row_is_as_good_as_the_tests_that_it_names(accept: Accept, root: Path) -> None:
    (root / "tests/test_them.py").write_text(TESTS, encoding="utf-8")
    (root / "tests/test_torn.py").write_text("def test_a(:\n", encoding="utf-8")
    (root / "pytest.ini").write_text("[pytest]\nmarkers = real: servers\n", encoding="utf-8")
    code, answer = accept(*(row for row, _, _ in PROVEN.values()))
    found = dict(zip(PROVEN, answer["facts"]["rows"], strict=True))
    assert {name: row["state"] for name, row in found.items()} == {
        name: state for name, (_, state, _) in PROVEN.items()
    }
    assert {name: row for name, row in found.items() if PROVEN[name][2] not in row["evidence"]} == {}
    assert code == 1


def test_people_get_a_line_for_each_row_and_the_counts_last(accept: Accept) -> None:
    _, answer = accept(("F", "run: [{check: good}]"), ("F", "run: [{check: bad}]"), as_json=False)
    lines = answer["out"].splitlines()
    assert "X  t" in lines
    assert any(line.split()[:2] == ["X-1", "ok"] and "promise 1" in line for line in lines)
    assert lines[-1] == "1 ok, 1 fail, 0 unknown"


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "an id": ({"ids": ("X-9",)}, "near are X-1"),
    "an area": ({"areas": ("Y",)}, "there are X"),
    "an environment": ({"env": "prd"}, "'prd' is no environment"),
    "an empty environment": ({"env": ""}, "no environment"),
    "a folder": ({"app_dir": "nowhere"}, "--app-dir nowhere"),
}


@pytest.mark.parametrize(("wishes", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_wish_is_exit_2_and_nothing_is_made(
    accept: Accept, wishes: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "Throwaway", None)
    code, answer = accept(("F", "run: [{check: good}]"), **wishes)
    assert (code, answer["facts"]) == (2, {})
    assert words in answer["errors"][0]["message"]


@pytest.mark.parametrize(("ends", "expected"), [(KeyboardInterrupt, 130), (ZeroDivisionError, 1)])
def test_what_was_made_is_removed_however_the_checks_end(
    accept: Accept, monkeypatch: pytest.MonkeyPatch, ends: type[BaseException], expected: int
) -> None:
    made: list[Path] = []

    def interrupted(ground: Ground) -> Evidence:
        made.extend([ground.trial.folder, ground.trial.memory])
        raise ends

    monkeypatch.setitem(CHECKS, "good", interrupted)
    code, _ = accept(("F", "run: [{check: good}]"))
    assert code == expected
    assert made
    assert [folder for folder in made if folder.exists()] == []
