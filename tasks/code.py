"""The application's code, part by part; the commands are settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import finance_report
from tasks.command import command

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.code_step import Step


@command("code.lint")
def lint(this: Command) -> None:
    """Lint each part of the application, and check its types."""
    _run(this, ("lint", "types"), "./inv code.lint")


@command("code.format")
def format_(this: Command, fix: bool = False) -> None:
    """Look whether each part is formatted; --fix formats it."""
    _run(this, ("fix",) if fix else ("format",), "./inv code.format --fix")


@command("code.build")
def build(this: Command) -> None:
    """Build each part of the application that has something to build."""
    _run(this, ("build",), "./inv code.build")


@command("code.test")
def test(this: Command, report: str = "") -> None:  # noqa: PT028  # a task, not a test
    """Run each part's tests, the backend's with the coverage gate; --report FILE keeps coverage's report."""
    _run(this, ("test",), "./inv code.test", report)


def _run(this: Command, steps: tuple[Step, ...], again: str, report: str = "") -> None:
    from infra.code import checkout
    from infra.code import steps as running

    place = checkout.checkout(this, finance_report.PROJECT, report)
    running.tell(place, running.run(place, steps), again)
