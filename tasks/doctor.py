"""What this machine has for us."""

from __future__ import annotations

import finance_report
from infra.invocation import Command
from tasks.command import command


@command("doctor")
def doctor(this: Command, env: str = "") -> None:
    """Show which programs, folders and ports an environment uses here."""
    from infra import reports

    reports.doctor(this.session(finance_report.PROJECT, env))
