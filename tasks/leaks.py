"""What was left behind, on this machine and on the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import finance_report
from tasks.command import command

if TYPE_CHECKING:
    from infra.invocation import Command


@command("leaks.check")
def check(this: Command, verbose: bool = False, host: str = "", strict: bool = False) -> None:
    """Look for what nobody owns any more; removes nothing. --strict counts sections that were not asked."""
    from infra.leaks import check as checking

    checking.check(this, finance_report.PROJECT, checking.Wishes(verbose=verbose, host=host, strict=strict))
