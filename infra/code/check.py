"""The one button: every part of the application, and what it shares with this repository."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from infra import check_keys, lint, reference
from infra.choices import Wishes
from infra.code.checkout import checkout
from infra.code.steps import run, tell
from infra.console import Console
from infra.model.code_step import Row, Verdict
from infra.model.errors import CannotTell, InfraError
from infra.model.verdict import Outcome

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.service import Project

Act = Callable[["Command", "Project"], str]
VERDICTS: dict[int, Verdict] = {0: "ok", 1: "failed"}


def check(this: Command, project: Project, report: str) -> None:
    """Check everything and print one table; KnownBad when a part fails, CannotTell when one cannot be told.

    `report` is where the coverage report is kept, if anywhere.
    """
    place = checkout(this, project, report)
    rows = run(place, ("lint", "format", "types", "test", "build"))
    rows += [_row(this, project, *name, act) for name, act in SHARED.items()]
    tell(place, rows, "./inv ci.check")


def _row(this: Command, project: Project, part: str, step: str, act: Act) -> Row:
    """Run what another task runs, and give its exit code as a row; its answers are progress here."""
    console = Console(this.redactor, as_json=True)
    own = replace(this, outcome=Outcome(this.outcome.command, ""), console=console)
    this.console.line(f"— {part} {step}")
    began = time.monotonic()
    try:
        words = act(own, project)
        code = own.outcome.exit_code
    except InfraError as error:
        this.console.error(error)
        code, words = error.exit_code, error.message
    return Row(part, step, VERDICTS.get(code, "unknown"), words, round(time.monotonic() - began, 3))


def _pages(own: Command, project: Project) -> str:
    reference.make(own, project, check=True)
    return ""


def _keys(own: Command, project: Project) -> str:
    check_keys.check(own, project, None, diff=False, fix=False, live=False, app_dir="")
    return ""


def _compose(own: Command, project: Project) -> str:
    """Lint every rendered text; that nobody has named a release yet is no fault of the application."""
    try:
        lint.compose(own, project, lint.Texts(Wishes(), every=True))
    except CannotTell:
        findings = own.outcome.facts.get("findings", [])
        if not findings or not all(one["is_unknown"] for one in findings):
            raise
        return f"{len(findings)} digests are not known before a release"
    return ""


SHARED: Mapping[tuple[str, str], Act] = {
    ("docs", "reference"): _pages,
    ("keys", "contract"): _keys,
    ("compose", "lint"): _compose,
}
