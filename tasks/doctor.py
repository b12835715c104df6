"""What this machine has for us."""

from __future__ import annotations

from typing import TYPE_CHECKING

import finance_report
from tasks.command import command, open_session

if TYPE_CHECKING:
    from infra.invocation import Command


@command("doctor")
def doctor(this: Command, env: str | None = None, target: str = "") -> None:
    """Show which programs, folders and ports an environment uses here."""
    from infra import reports

    reports.doctor(open_session(this, finance_report.PROJECT, env, target))
