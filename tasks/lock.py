"""Who deploys, and what to do when nobody does any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import finance_report
from tasks.command import command, open_session

if TYPE_CHECKING:
    from infra.invocation import Command


@command("lock.status")
def status(this: Command, env: str | None = None, target: str = "") -> None:
    """Say who holds the lease of an environment; exit 0 either way."""
    from infra import locks

    locks.status(open_session(this, finance_report.PROJECT, env, target))


@command("lock.release", changes=True)
def release(this: Command, env: str | None = None, target: str = "", reason: str = "") -> None:
    """Free a lease whoever holds it; --reason says why, and the holder is told."""
    from infra import locks

    locks.release(open_session(this, finance_report.PROJECT, env, target), reason)
