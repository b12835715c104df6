"""What a development server stands on: stores and router, and the other parts of the application."""

from __future__ import annotations

from dataclasses import replace

from infra import deploy
from infra.dev import started
from infra.model.errors import Unreachable
from infra.model.service import Part, Service
from infra.model.verdict import Outcome
from infra.plan.development import take_over
from infra.session import Request, Session
from infra.stages.apply import apply, begin
from infra.stages.lease import leased
from infra.stages.look import look
from infra.stages.words import plan_lines

LEASE_WAIT = 60.0


def stores(session: Session) -> None:
    """Make the services run that are not the application's code; Unreachable when one does not start."""
    names = tuple(service.name for service in session.services if not service.from_source)
    if not _run(session, names):
        raise Unreachable("what the application stands on did not start", next_step=session.say("status"))


def stack(session: Session, service: Service, part: Part) -> None:
    """Make everything run that a part needs and stands beside: its stores, and the service's other parts.

    Where another part does not run, the whole service is deployed first. A snapshot that fails is told, and
    does not keep the development server from starting: that is where it will be mended.
    """
    others = {one.name for one in service.parts} - {part.name}
    if others <= set(session.target.living()):
        stores(session)
    elif not _run(session, (service.name,)):
        words = f"{service.name} does not serve from a snapshot; {part.name} starts all the same"
        session.console.line(f"! {words}")
        stores(session)


def _run(session: Session, services: tuple[str, ...]) -> bool:
    """Run the engine on these services, note what it deployed, and tell whether it is good."""
    inner = replace(session, outcome=Outcome(session.outcome.command, session.environment.name))
    try:
        deploy.setup(inner, Request(services, lock_wait=LEASE_WAIT))
    finally:
        started.add(session, inner.outcome.deploy_id)
        session.outcome.changes += inner.outcome.changes
    return not inner.outcome.errors


def render_secrets(session: Session, service: str) -> None:
    """Make a service's secrets, and write the file that it reads them from, where that is needed."""
    request = Request((service,), lock_wait=LEASE_WAIT)
    with leased(session, request):
        make_way(session, request)


def make_way(session: Session, request: Request, unit: str = "") -> None:
    """Write the secrets of the asked service, and stop `unit` through its supervisor.

    The caller holds the lease. The unit is not started again, by nobody but the next setup.
    """
    picture = look(session, request)
    plan = take_over(picture.plan, picture.observed, request.services[0], unit)
    if plan.is_empty:
        return
    with session.console.stage("take over") as stage:
        for line in plan_lines(plan):
            session.console.line(line)
        apply(session, request, begin(session, replace(picture, plan=plan)), stage)
    session.outcome.changes += [str(step) for step in plan.operations]
