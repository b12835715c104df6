"""The lease of an environment, held while a command changes it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from infra.model.lease import Lease
from infra.session import Request, Session
from infra.store import leases, owner
from infra.store.paths import lease_path


@contextmanager
def leased(session: Session, request: Request) -> Iterator[None]:
    """Hold the environment's lease for the body; LeaseHeld says who has it.

    Inside another such body of the same command it is held already, and freed at the outer one's end.
    """
    if session.claim.holding is not None:
        yield
        return
    path = lease_path(session.project.name, session.store_path)
    claim = owner.this_process(session.actor, secrets.token_hex(8), request.reason or session.outcome.command)

    def on_wait(holder: Lease) -> None:
        session.console.show(f"waiting for {holder}")

    with leases.hold(
        session.store,
        path,
        claim,
        session.now,
        wait=request.lock_wait,
        on_wait=on_wait,
        choice=session.commands.choice,
    ) as holding:
        session.console.show("")
        session.claim.holding = holding
        try:
            yield
        finally:
            session.claim.holding = None
