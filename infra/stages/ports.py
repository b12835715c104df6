"""Ports that strangers hold: who holds which, what makes way for them, and what has to do without."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from infra.console import Stage
from infra.model.errors import PortLost, PortTaken
from infra.model.operation import Operation, Plan
from infra.model.unit import Bundle, Unit
from infra.model.verdict import INTERRUPTED, Verdict
from infra.plan.reconcile import reconcile
from infra.session import Request, Session
from infra.stages.apply import apply, begin
from infra.stages.look import Picture, look

STARTS = ("start-unit", "restart-unit")
PORT_LOST = PortLost("").kind
AGAIN = "repeat the command: it takes other ports"


def look_for_room(
    session: Session, request: Request, recorded: Mapping[str, Bundle] | None = None
) -> Picture:
    """Give the picture of this moment, out of the way of strangers; nothing is written.

    Where a stranger holds a port that nobody wrote, it is the picture of other ports, and its first step
    writes them down. A soft service whose written port is held is left out.
    """
    before = look(session, request, recorded)
    held = strangers(session, before)
    left_out = _left_out(session, request, held)
    moves = list(_moves(session, held))
    if not moves and not left_out:
        return before
    return _following(look(session, request, recorded, left_out), before).preceded_by(moves)


def strangers(session: Session, picture: Picture) -> dict[str, str]:
    """Give who holds a port of what the picture's plan starts, by the port's name."""
    starting = {step.subject for step in picture.plan.operations if step.kind in STARTS}
    units = [unit for bundle in picture.wanted.bundles.values() for unit in bundle.units]
    needed: dict[str, int] = {}
    for unit in units:
        needed |= _ports_of(session, unit) if unit.name in starting else {}
    found = session.target.strangers_on(needed.values())
    return {name: found[port] for name, port in needed.items() if port in found}


def written(session: Session, held: Mapping[str, str]) -> dict[str, str]:
    """Give those of the held ports that never move, since a person wrote them."""
    movable = session.ports.movable(held)
    return {name: holder for name, holder in held.items() if name not in movable}


def taken(session: Session, held: Mapping[str, str]) -> PortTaken:
    """Give one error that names all these ports and who holds them."""
    numbers = ", ".join(f"{name}: N" for name in held)
    number = "another number" if len(held) == 1 else "other numbers"
    return PortTaken(
        _in_words(session, held), next_step=f"write {number}: ports: {{{numbers}}} in invoke.local.yaml"
    )


def _lost(session: Session, request: Request, picture: Picture) -> PortTaken | None:
    """Give the error of a stranger who took a port of what was started, None where nobody did.

    It is a PortLost where a repeat takes other ports, or does without.
    """
    held = strangers(session, picture)
    fixed = written(session, held)
    spared = _names(session, _left_out(session, request, held))
    if fixed.keys() - spared:
        return taken(session, fixed)
    return PortLost(_in_words(session, held), next_step=AGAIN) if held else None


def in_view_of_strangers(session: Session, request: Request, picture: Picture, verdict: Verdict) -> Verdict:
    """Give a bad verdict with a stranger's port as its cause, where that is so; any other one as it is."""
    if verdict.ok or verdict.category == INTERRUPTED:
        return verdict
    error = _lost(session, request, picture)
    if error is None:
        return verdict
    return replace(verdict, category=error.kind, cause=error.message, next_step=error.next_step)


def make_room(session: Session, request: Request, picture: Picture, stage: Stage) -> None:
    """End all that the picture's plan started, so that nothing of an attempt that is given up runs on."""
    stops = tuple(
        Operation("stop-unit", step.service, step.subject, "its ports may move")
        for step in reversed(picture.plan.operations)
        if step.kind in STARTS
    )
    apply(session, request, begin(session, replace(picture, plan=Plan(stops))), stage)
    session.outcome.changes += [str(step) for step in stops]


def _moves(session: Session, held: Mapping[str, str]) -> Iterator[Operation]:
    """Move what nobody wrote out of the strangers' way, and give the step that keeps it so."""
    leaving = {name: session.ports.now[name] for name in held if name in session.ports.movable(held)}
    if leaving:
        reason = ", ".join(f"{port} is held by {held[name]}" for name, port in leaving.items())
        moved = session.ports.move(leaving, _names(session, session.target.living()))
        shown = sorted(moved & session.declared_units or moved)
        places = ", ".join(f"{name} {session.ports.now[name]}" for name in shown)
        yield Operation("move-ports", "", places, reason)


def _left_out(session: Session, request: Request, held: Mapping[str, str]) -> dict[str, str]:
    """Give the soft services that cannot have their written ports, each with a line.

    None where such a service alone was asked for: then its port is a fault.
    """
    if all(session.project.service(name).is_soft for name in request.services):
        return {}
    fixed = written(session, held)
    soft = {service.name: _names(session, [service.name]) for service in session.services if service.is_soft}
    errors = {
        name: taken(session, {one: fixed[one] for one in fixed if one in ports})
        for name, ports in soft.items()
        if not ports.isdisjoint(fixed)
    }
    return {
        name: f"{name} is left out: {error.message} → {error.next_step}" for name, error in errors.items()
    }


def _following(picture: Picture, before: Picture) -> Picture:
    """Give the picture with those asked for, too, whose bundle changes with the ports."""
    was = before.wanted.bundles
    changed = {name for name, one in picture.wanted.bundles.items() if was[name].digest != one.digest}
    wanted = replace(picture.wanted, asked=picture.wanted.asked | changed)
    return replace(picture, wanted=wanted, plan=reconcile(picture.observed, wanted))


def _in_words(session: Session, held: Mapping[str, str]) -> str:
    now = session.ports.now
    return ", ".join(f"port {now[name]} for {name} is held by {holder}" for name, holder in held.items())


def _ports_of(session: Session, unit: Unit) -> dict[str, int]:
    """Give all ports of a unit by name; a unit that is declared no more has none that could move."""
    parts = {part.name: part for part in session.project.service(unit.service).parts}
    names = parts[unit.name].ports if unit.name in parts else ()
    return {name: session.ports.now[name] for name in names}


def _names(session: Session, owners: Collection[str]) -> frozenset[str]:
    """Give the names of the ports of these services or units."""
    parts = [(service.name, part) for service in session.services for part in service.parts]
    return frozenset(
        name for service, part in parts if {service, part.name} & set(owners) for name in part.ports
    )
