"""The runbook of a development server.

stores, router ─▶ other parts ─▶ secrets, the unit stops ─▶ the server, in the foreground ─▶ its group ends
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from infra import foreground
from infra.dev import stack
from infra.dev.seat import Seat, seat
from infra.dev.turns import turn
from infra.model.errors import KnownBad
from infra.model.unit import Unit
from infra.plan.ending import SERVERS
from infra.session import Request
from infra.signals import Signals
from infra.stages.lease import leased
from infra.targets.process import probes

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.service import Project

ASKS_EVERY = 0.1
ENDED_FROM_ELSEWHERE = {0, -15}


def serve(this: Command, project: Project, part: str, target: str) -> None:
    """Run a part's development server in the place of its unit until a person ends it.

    KnownBad when it ends by itself. The unit stays away: the next setup puts it back.
    """
    place = seat(this, project, part, target, claim=True)
    place.clear()
    with foreground.watched() as signals:
        with turn(place.session):
            place.clear()
            for line in place.session.passed.words if place.is_alone else ():
                place.session.console.line(line)
            if place.is_alone:
                place.make_room()
            else:
                stack.stack(place.session, place.service, place.part)
            unit = place.marked()
            child = _started(place, unit, signals)
        with _announced(place, unit):
            code = foreground.wait(child, signals, SERVERS)
        if signals.arrived:
            place.session.console.line(_farewell(place))
    _judge(place, code)


def _started(place: Seat, unit: Unit, signals: Signals) -> subprocess.Popen[bytes]:
    """Start the server under the lease, in the place of its unit."""
    request = Request((place.service.name,), lock_wait=stack.LEASE_WAIT)
    with leased(place.session, request):
        if place.is_alone:
            place.require_free()
        else:
            stack.make_way(place.session, request, place.part.name)
        place.session.target.narrow()
        place.session.target.write_files(unit)
        proof = place.session.target.marks.proven(unit.name)
        variables = {**place.session.passed.values, **dict(unit.environment), **proof}
        child = foreground.start(unit.argv, Path(unit.directory), variables, signals)
    place.session.outcome.facts |= {"unit": unit.name, "pid": child.pid, "address": place.address}
    return child


@contextmanager
def _announced(place: Seat, unit: Unit) -> Iterator[None]:
    """Say where the server answers, as soon as it does."""
    over = threading.Event()
    waiting = threading.Thread(target=_announce, args=(place, unit, over), daemon=True)
    waiting.start()
    try:
        yield
    finally:
        over.set()


def _announce(place: Seat, unit: Unit, over: threading.Event) -> None:
    began = time.monotonic()
    asked = replace(unit, health=replace(unit.health, timeout=1))
    while probes.fault(asked):
        if over.wait(ASKS_EVERY):
            return
    seconds = time.monotonic() - began
    place.session.console.line(f"✓ {unit.name} answers after {seconds:.1f} s: {place.address}", "green")
    place.session.console.line("  what is saved is served; Ctrl+C ends it")


def _farewell(place: Seat) -> str:
    back = place.session.say(f"{place.service.name}.setup")
    return f"{place.part.name} ended" + ("" if place.is_alone else f"; {back} puts the deployed one back")


def _judge(place: Seat, code: int) -> None:
    """Tell how a server ended that nobody ended here."""
    how = "was ended from elsewhere" if code in ENDED_FROM_ELSEWHERE else f"ended with code {code}"
    name = place.part.name
    raise KnownBad(f"the development server of {name} {how}", next_step=f"./inv dev.{name}")
