"""Whether the application could start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import finance_report
from tasks.command import command

if TYPE_CHECKING:
    from infra.invocation import Command


@command("boot.check")
def check(this: Command, mode: str = "full", target: str = "") -> None:
    """Ask the application what it needs to start: --mode dry-run, critical or full; exit 1 on an error."""
    from infra import boot_check

    boot_check.check(this, finance_report.PROJECT, mode, target)
