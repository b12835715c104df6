"""The coverage gate on reports as coverage writes them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.model.errors import CannotTell
from infra.model.settings import Coverage
from infra.plan.coverage import judge, summary

CASES = yaml.safe_load((Path(__file__).parent / "coverage_gate.yaml").read_text(encoding="utf-8"))


def summarised(lines: list[int], branches: list[int] | None) -> dict[str, int]:
    found = {"covered_lines": lines[0], "num_statements": lines[1]}
    return found | ({"covered_branches": branches[0], "num_branches": branches[1]} if branches else {})


def report(case: dict[str, Any]) -> dict[str, Any]:
    files = {name: {"summary": summarised(lines, None)} for name, lines in case.get("files", {}).items()}
    return {"totals": summarised(case["lines"], case["branches"]), "files": files}


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_the_gate_says_what_is_missing_and_nothing_else(case: dict[str, Any]) -> None:
    limits = Coverage(**case.get("limits", {}))
    assert list(judge(report(case), limits).faults) == case["faults"]


def test_the_summary_shows_lines_branches_packages_gate_and_target() -> None:
    limits = Coverage(packages={"src/services": 80})
    case = {"lines": [19, 20], "branches": [2, 3], "files": {"src/services/a.py": [9, 10]}}
    assert summary(judge(report(case), limits), limits) == (
        "95.00 % of lines, 66.66 % of branches, src/services 90.00 %; gate 92, target 97"
    )


@pytest.mark.parametrize("found", [{}, [], None, {"totals": 3}, {"totals": {}, "files": {}}])
def test_what_is_no_report_is_not_judged(found: Any) -> None:
    with pytest.raises(CannotTell, match="no JSON report"):
        judge(found, Coverage())


def test_a_report_of_the_real_program_is_read(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/half.py").write_text(
        "import sys\nif sys.argv[1:]:\n    print(1)\n    print(2)\n", encoding="utf-8"
    )
    coverage = [sys.executable, "-m", "coverage"]
    subprocess.run([*coverage, "run", "--branch", "--source=src", "src/half.py"], cwd=tmp_path, check=True)
    subprocess.run([*coverage, "json", "-q"], cwd=tmp_path, check=True)
    found = json.loads((tmp_path / "coverage.json").read_text(encoding="utf-8"))
    judged = judge(found, Coverage(packages={"src": 40}))
    assert (judged.lines.percent, judged.branches.percent) == (50.0, 50.0)
    assert judged.faults == ("50.00 % of all lines were run, 92 % are asked for",)
