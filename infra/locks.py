"""The lease of an environment, looked at and broken by hand."""

from __future__ import annotations

import time

from infra.model.errors import BadInput
from infra.session import Session
from infra.store import leases
from infra.store.paths import lease_path


def status(session: Session) -> None:
    """Print who holds the lease, since when, and whether that process still lives."""
    held = leases.standing(session.store, _path(session))
    name = session.environment.name
    session.outcome.facts["holder"] = held.as_json() if held else None
    if held is None:
        session.console.answer(f"nobody deploys {name}")
    elif leases.is_over(held, time.monotonic()):
        session.console.answer(f"{name} was deployed by {held}, who is gone: the next setup takes over")
    else:
        session.console.answer(f"{name} is being deployed by {held}")
        if not leases.is_known_here(held):
            session.console.line(f"whether that process lives cannot be told here; {leases.by_waiting()}")


def release(session: Session, reason: str) -> None:
    """Break the lease; BadInput without a reason."""
    if not reason.strip():
        again = f'./inv lock.release {session.commands.choice} --reason "..."'
        raise BadInput("breaking a lease needs a reason", next_step=again)
    held = leases.break_lease(session.store, _path(session))
    session.outcome.changes = [f"released the lease of {held}: {reason}"] if held else []
    session.console.answer(
        f"released the lease of {held}" if held else f"nobody deploys {session.environment.name}"
    )


def _path(session: Session) -> str:
    return lease_path(session.project.name, session.store_path)
