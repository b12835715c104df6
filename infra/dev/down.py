"""Ends development servers, and what was started for them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING

from infra import remove
from infra.assembly import open_session
from infra.dev import started
from infra.dev.seat import LOCAL, require_ended
from infra.dev.stack import LEASE_WAIT
from infra.dev.turns import turn
from infra.model.observed import Unknown
from infra.plan.turns import are_alone
from infra.session import Request, Session
from infra.stopping import noting, stopping, writing
from infra.targets.process import development, processes
from infra.targets.process.bearers import is_helper
from infra.testing.register import Register, living

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.service import Project


def down(this: Command, project: Project) -> None:
    """End every development server of this checkout, and stop the units that `dev.*` started; data stays.

    Units stay as long as something else uses them: a deployed application, or tests.
    """
    session = open_session(this, project, LOCAL, "process")
    with noting(session), ExitStack() as stack:
        with writing(session, "its turn among development commands"):
            stack.enter_context(turn(session))
        _down(session, Register(project.name, this.variables))


def _down(session: Session, register: Register) -> None:
    request = Request(session.service_names, lock_wait=LEASE_WAIT)
    ended: list[str] = []
    if not session.target.is_quiet():
        with stopping(session, request):
            ended = _end_servers(session)
    units = _units(session)
    stay = _why_they_stay(session, units, register)
    if units and not stay:
        remove.down(session, request)
    with writing(session, "what dev.* started"):
        started.keep(session, units.values() if stay else ())
    session.outcome.changes = [*ended, *session.outcome.changes]
    session.outcome.outcome = "stopped" if session.outcome.changes else "nothing to do"
    for line in [*ended, *([stay] if stay else [])] or ([] if units else ["no development server runs"]):
        session.console.line(line)


def _end_servers(session: Session) -> list[str]:
    found = development.servers(session.target.marks)
    require_ended(development.end_all(found, session.target.marks))
    return [f"end the development server of {one.unit} (pid {one.process.pid})" for one in found]


def _units(session: Session) -> dict[str, str]:
    """Give the deploy that started each unit that runs."""
    found = processes.mains(session.target.marks)
    return {name: many[0][1].deploy for name, many in found.items() if not is_helper(name)}


def _why_they_stay(session: Session, units: Mapping[str, str], register: Register) -> str:
    """Give who else uses the units, empty when they are there for development servers alone."""
    known = started.read(session)
    others = sorted(name for name, deploy in units.items() if deploy not in known)
    if others:
        return f"{', '.join(others)}: not started by dev.*, so all units stay: {session.say('down')}"
    seen = register.read()
    is_quiet = not isinstance(seen, Unknown) and are_alone(
        session.places.checkout, "", living(seen.fact.runners)
    )
    return "" if is_quiet else "tests may be using the servers, so they stay: ./inv test.status"
