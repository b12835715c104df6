"""The one button."""

from __future__ import annotations

from typing import TYPE_CHECKING

import finance_report
from tasks.command import command

if TYPE_CHECKING:
    from infra.invocation import Command


@command("ci.check")
def check(this: Command, report: str = "") -> None:
    """Check the application's checkout, here as in CI: lint, format, types, tests, coverage, build, keys."""
    from infra.code import check as button

    button.check(this, finance_report.PROJECT, report)
