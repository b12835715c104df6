"""What only stops, frees or removes goes on where nothing can be written, and says what was not written down.

A full disk, one that is read-only and a folder of somebody else keep nobody from stopping what runs.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from infra.model.errors import Denied, NotCleaned, Unwritable
from infra.model.lease import Lease
from infra.session import Request, Session
from infra.stages.lease import leased
from infra.store import leases
from infra.store.paths import lease_path

CANNOT_WRITE = (Unwritable, Denied)


@contextmanager
def stopping(session: Session, request: Request) -> Iterator[None]:
    """Hold the environment's lease for the body, as far as it can be written; LeaseHeld says who has it.

    NotCleaned at the end of the outermost such body names what could not be written down.
    """
    with noting(session), ExitStack() as stack:
        _take(stack, session, request)
        yield


@contextmanager
def noting(session: Session) -> Iterator[None]:
    """Collect what cannot be written in the body; NotCleaned at the end of the outermost one names it."""
    if session.claim.unwritten is not None:
        yield
        return
    noted: list[str] = []
    session.claim.unwritten = noted
    try:
        yield
    finally:
        session.claim.unwritten = None
    if noted:
        raise NotCleaned(
            f"{session.outcome.outcome}, but not all of it could be written down or removed",
            evidence=tuple(dict.fromkeys(noted)),
            next_step=f"make room or give leave to write there, then {session.say('status')}",
        )


@contextmanager
def writing(session: Session, what: str) -> Iterator[None]:
    """Note what cannot be written in the body, and go on after it."""
    try:
        yield
    except CANNOT_WRITE as error:
        note(session, f"{what}: {error.message}")


def note(session: Session, line: str) -> None:
    """Note one thing that was not written or removed."""
    if session.claim.unwritten is not None:
        session.claim.unwritten.append(line)


def holder(session: Session) -> Lease | None:
    """Give who holds the environment's lease and has not ended, None when nobody does."""
    found = leases.standing(session.store, _path(session))
    return None if found is None or leases.is_over(found, time.monotonic()) else found


def _take(stack: ExitStack, session: Session, request: Request) -> None:
    """Take the lease; where it cannot be written, make sure as far as it can be read that nobody has it."""
    try:
        stack.enter_context(leased(session, request))
    except CANNOT_WRITE as error:
        found = holder(session)
        if found is not None:
            raise leases.held(_path(session), found, session.commands.choice) from None
        note(session, f"the lease, which nobody holds: {error.message}")


def _path(session: Session) -> str:
    return lease_path(session.project.name, session.store_path)
