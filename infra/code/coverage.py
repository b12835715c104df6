"""The backend's tests with the coverage gate: run in a database of their own, then judged by their report."""

from __future__ import annotations

import shlex
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from infra.code import running
from infra.code.checkout import Checkout
from infra.model import json_text
from infra.model.code_step import Command as CodeCommand
from infra.model.code_step import Row
from infra.model.errors import InfraError, MissingProgram
from infra.model.verdict import Outcome
from infra.plan.coverage import judge, summary
from infra.testing import run as testing
from infra.testing.application import application
from infra.testing.command import Wishes
from infra.workspace import person_files

REPORT = "$COVERAGE"
MEASURED = "src"


def tested(place: Checkout, command: CodeCommand) -> list[Row]:
    """Give the rows of the tests and of the gate; a written command stands in for `test.run`."""
    with tempfile.TemporaryDirectory(prefix="coverage-") as folder:
        report = Path(folder) / "coverage.json"
        if not command.is_written:
            return [_in_database(place, report), _gate(place, report)]
        row = running.run(place, command, {REPORT: str(report)})
        return [row, _gate(place, report, is_asked=any(REPORT in word for word in command.argv))]


def _in_database(place: Checkout, report: Path) -> Row:
    """Run the tests as `test.run` does, with coverage of lines and branches."""
    words = [
        f"--cov={MEASURED}",
        "--cov-branch",
        f"--cov-report=json:{report}",
        "--cov-report=term:skip-covered",
    ]
    outcome = Outcome(place.this.outcome.command, "")
    place.this.console.line(f"— backend test: test.run --args {shlex.quote(shlex.join(words))}")
    began = time.monotonic()
    row = Row("backend", "test", "ok")
    try:
        own = application(place.source, place.this.variables)
        if "pytest_cov" not in own.installed("pytest_cov"):
            raise MissingProgram(f"{own.python} has no pytest_cov")
        testing.run(replace(place.this, outcome=outcome), place.project, Wishes(args=shlex.join(words)))
    except InfraError as error:
        place.this.console.error(error)
        row = replace(row, verdict="unknown" if error.exit_code == 2 else "failed", words=error.message)
    place.this.outcome.facts["tests"] = outcome.facts
    return replace(row, seconds=round(time.monotonic() - began, 3))


def _gate(place: Checkout, report: Path, *, is_asked: bool = True) -> Row:
    row = Row("backend", "coverage", "unknown", "the tests left no report")
    limits = place.settings.code.coverage
    if not is_asked:
        return replace(row, words=f"the test command does not name {REPORT}")
    try:
        found: Any = json_text.parse(report.read_text(encoding="utf-8"))
        judged = judge(found, limits)
    except FileNotFoundError:
        return row
    except (ValueError, InfraError) as error:
        return replace(row, words=str(error))
    place.this.outcome.facts["coverage"] = judged.as_json()
    if place.report:
        text = report.read_text(encoding="utf-8")
        person_files.write(Path(place.this.variables.get("INV_CWD", ".")) / place.report, text)
    for fault in judged.faults:
        place.this.console.line(f"✗ {fault}", "red")
    return replace(row, verdict="failed" if judged.faults else "ok", words=summary(judged, limits))
