"""The local database of this checkout: its migrations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import finance_report
from tasks.command import command

if TYPE_CHECKING:
    from infra.invocation import Command


@command("db.migrate", changes=True)
def migrate(this: Command) -> None:
    """Take the local database to the newest migration of the application's checkout."""
    from infra import database

    database.migrate(this, finance_report.PROJECT)


@command("db.current")
def current(this: Command) -> None:
    """Say which migration the local database is at, and what is ahead of it."""
    from infra import database

    database.current(this, finance_report.PROJECT)


@command("db.history", lists=True)
def history(this: Command) -> None:
    """List the migrations of the application's checkout, and where the local database is."""
    from infra import database

    database.history(this, finance_report.PROJECT)


@command("db.downgrade", changes=True)
def downgrade(this: Command, to: str = "", dry_run: bool = False, yes: bool = False) -> None:
    """Take the local database back to --to REVISION or base, after consent."""
    from infra import database

    database.downgrade(this, finance_report.PROJECT, to, dry_run=dry_run, yes=yes)
