"""The seat of one part of the application: a unit sits there, and a development server may take its place."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from infra.assembly import open_session
from infra.choices import chosen_target
from infra.model.clock import deploy_id
from infra.model.environments import environment
from infra.model.errors import BadInput, KnownBad, MissingProgram, PortTaken, Refused
from infra.model.service import Part, Project, Service
from infra.model.unit import DEVELOPMENT, Unit
from infra.plan import development as plan
from infra.session import Session
from infra.targets.process import development, programs
from infra.workspace import settings_file

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.environment import Target

LOCAL = "local"
ALONE = "none"


@dataclass(frozen=True, slots=True)
class Seat:
    """One part of the application in the environment local. `is_alone` leaves out all that it needs."""

    session: Session
    service: Service
    part: Part
    is_alone: bool = False

    @property
    def folder(self) -> Path:
        """The part's folder in the application's checkout."""
        return self.session.source / self.part.folder

    @property
    def address(self) -> str:
        """Where a person reaches it: behind the router, or by its own port."""
        port = self.session.places.ports[self.part.name]
        route = next(route for route in self.session.project.routes if route.part == self.part.name)
        return (
            f"http://{self.session.places.bind}:{port}"
            if self.is_alone
            else f"{self.session.url}{route.path}"
        )

    def unit(self) -> Unit:
        """Give the part's unit as it runs from the checkout, with its development server's command."""
        python = programs.python_in(self.folder)
        written = getattr(self.session.settings.app, self.part.name)
        command = plan.command_of(self.part, tuple(written.dev), python)
        make = plan.alone if self.is_alone else plan.from_checkout
        scene = self.session.scene({})
        return make(self.service, self.part, scene, str(self.session.source), command, python)

    def marked(self) -> Unit:
        """Give the unit as it is started: marked as a development server that this process waits for."""
        unit = self.unit()
        mine = (development.OWNER, str(os.getpid()))
        unit = replace(unit, environment=(*unit.environment, mine))
        return unit.with_markers(DEVELOPMENT, deploy_id(self.session.now(), f"{os.getpid():x}"))

    def clear(self) -> None:
        """End what a killed command left here; Refused where a development server is attended to."""
        found = development.servers(self.session.target.marks, self.part.name)
        attended = next((one for one in found if one.owner), None)
        if attended:
            raise Refused(
                f"a development server of {self.part.name} runs already (pid {attended.process.pid}, "
                f"started by pid {attended.owner})",
                next_step="end it with Ctrl+C in its own window, or ./inv dev.down",
            )
        if found:
            self.session.console.line(f"ending the {self.part.name} that a killed command left behind")
            require_ended(development.end_all(found, self.session.target.marks))

    def make_room(self) -> None:
        """Leave a port that a stranger holds and nobody wrote, and say so."""
        ports, name = self.session.ports, self.part.name
        holder = self.session.target.strangers_on([ports.now[name]]).get(ports.now[name])
        if holder and ports.movable([name]):
            before = ports.now[name]
            ports.move([name], ports.now.keys() - {name})
            ports.keep()
            words = f"port {before} for {name} is held by {holder}: it takes {ports.now[name]}"
            self.session.console.line(f"! {words}")

    def require_free(self) -> None:
        """Refuse to start by itself where the deployed unit, or a stranger, has the port."""
        name, port = self.part.name, self.session.places.ports[self.part.name]
        if name in self.session.target.living():
            raise Refused(
                f"the deployed {name} runs on port {port}",
                next_step=f"./inv dev.{name}, or first {self.session.say('down')}",
            )
        holder = self.session.target.strangers_on([port]).get(port)
        if holder:
            raise PortTaken(
                f"port {port} for {name} is held by {holder}",
                next_step=f"write another number: ports: {{{name}: N}} in invoke.local.yaml",
            )


def seat(this: Command, project: Project, name: str, target: str, *, claim: bool = False) -> Seat:
    """Give the seat of a part; BadInput where the checkout has no such folder, Denied for one of others."""
    is_alone = target_of_local(this, target) == ALONE
    session = open_session(this, project, LOCAL, "process", claim=claim)
    service, part = next(one for one in _parts(project) if one[1].name == name)
    found = Seat(session, service, part, is_alone)
    if not found.folder.is_dir():
        raise BadInput(
            f"{found.folder}: the application has no such folder",
            next_step="set app.source in invoke.local.yaml to the application's checkout",
        )
    session.target.snapshots.require_closed(session.source)
    return found


def target_of_local(this: Command, asked: str) -> Target:
    """Give where local runs: as asked, else as the settings say; MissingProgram for containers."""
    found = chosen_target(environment(LOCAL), asked, settings_file.load(this.root))
    if found == "docker":
        setting = "set environments: {local: {target: process}} in invoke.local.yaml"
        raise MissingProgram(
            "this version runs no containers",
            next_step=f"./inv {this.outcome.command} --target process" if asked else setting,
        )
    return found


def require_ended(left: list[int]) -> None:
    """Raise KnownBad for processes that outlive a kill."""
    if left:
        raise KnownBad(f"pid {left[0]} does not end", next_step=f"kill -9 {left[0]}")


def _parts(project: Project) -> Iterator[tuple[Service, Part]]:
    for service in project.services:
        if service.from_source:
            yield from ((service, part) for part in service.parts)
