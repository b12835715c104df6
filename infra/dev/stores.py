"""What the application stands on, without the application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.assembly import open_session
from infra.dev import stack
from infra.dev.seat import ALONE, LOCAL, target_of_local
from infra.dev.turns import turn
from infra.model.errors import BadInput

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.service import Project


def start(this: Command, project: Project, target: str) -> None:
    """Start what is missing of stores and router, and print where each of them listens."""
    if target_of_local(this, target) == ALONE:
        raise BadInput(
            "dev.infra starts servers, and target none asks for none",
            next_step="./inv dev.backend --target none",
        )
    session = open_session(this, project, LOCAL, "process", claim=True)
    with turn(session):
        stack.stores(session)
        for service in session.services:
            if service.from_source:
                stack.render_secrets(session, service.name)
    session.outcome.outcome = "deployed" if session.outcome.changes else "nothing to do"
    ports, bind = session.places.ports, session.places.bind
    parts = [part.name for service in session.services if not service.from_source for part in service.parts]
    addresses = {name: f"{bind}:{ports[name]}" for name in parts}
    addresses |= {"router": session.url} if "router" in addresses else {}
    session.console.table(list(addresses.items()))
    session.outcome.facts["addresses"] = addresses
