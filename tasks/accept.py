"""Whether what was promised is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import finance_report
from tasks.command import command

if TYPE_CHECKING:
    from infra.invocation import Command


@command("accept", iterable=["id_", "area"])
def accept(
    this: Command,
    id_: list[str] | None = None,
    area: list[str] | None = None,
    env: str | None = None,
    app_dir: str = "",
) -> None:
    """Check every promise, or those of --id and --area, on state of its own; exit 1 when one fails."""
    from infra.accept import runner

    wishes = runner.Wishes(tuple(id_ or ()), tuple(area or ()), app_dir)
    runner.accept(this, finance_report.PROJECT, env, wishes)
