"""Taking away what nobody owns any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import finance_report
from tasks.command import command

if TYPE_CHECKING:
    from infra.invocation import Command


@command("cleanup.dbs", changes=True)
def dbs(
    this: Command,
    dry_run: bool = False,
    all_: bool = False,
    grace: str = "10m",
    force: bool = False,
    yes: bool = False,
) -> None:
    """Drop test databases that nobody owns; --all drops every one but those of living runs, after consent."""
    from infra.testing import cleanup

    wishes = cleanup.Wishes(dry_run=dry_run, everything=all_, grace=grace, force=force, yes=yes)
    cleanup.databases(this, finance_report.PROJECT, wishes)


@command("cleanup.dev", changes=True)
def dev(
    this: Command,
    all_: bool = False,
    force: bool = False,
    yes: bool = False,
    dry_run: bool = False,
) -> None:
    """Remove what nobody owns any more in local; --all also its data, and what gone checkouts left."""
    from infra.cleanup import development

    wishes = development.Wishes(everything=all_, force=force, yes=yes, dry_run=dry_run)
    development.development(this, finance_report.PROJECT, wishes)
