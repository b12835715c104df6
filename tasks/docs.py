"""Pages that are made from the code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import finance_report
from tasks.command import command

if TYPE_CHECKING:
    from infra.invocation import Command


@command("docs.reference")
def reference(this: Command, check: bool = False) -> None:
    """Write docs/reference from the table and the registry; --check only says whether it is up to date."""
    from infra import reference as pages

    pages.make(this, finance_report.PROJECT, check=check)
