"""What git runs for us."""

from __future__ import annotations

from typing import TYPE_CHECKING

import finance_report
from tasks.command import command

if TYPE_CHECKING:
    from infra.invocation import Command


@command("hooks.install", changes=True)
def install(this: Command, uninstall: bool = False) -> None:
    """Let each git push start cleanup.dbs in the background; --uninstall puts back what was there before."""
    from infra import hooks

    hooks.uninstall(this, finance_report.PROJECT) if uninstall else hooks.install(
        this, finance_report.PROJECT
    )
