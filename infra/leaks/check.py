"""The runbook of `leaks.check`: six sections in their order, an answer, and what to type next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from infra.assembly import open_session
from infra.homes import base_of, homes
from infra.leaks.local import DATABASES, Here
from infra.leaks.section import Section, not_asked, unknown
from infra.model.errors import CannotTell, KnownBad
from infra.model.verdict import Outcome
from infra.targets.process import census
from infra.testing.register import Register
from infra.testing.servers import Servers
from infra.workspace import settings_file
from infra.workspace.folders import application_checkout
from infra.workspace.identity import identity

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.service import Project

LOCAL = "local"
MIB = 1024 * 1024
HOST, IMAGES = "preview resources on the host", "preview images"
NEXT = ("./inv cleanup.dbs --dry-run", "./inv cleanup.dev --all --dry-run", "./inv leaks.check --verbose")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person asks of the check; `strict` counts the sections that nobody asked about."""

    verbose: bool = False
    host: str = ""
    strict: bool = False


def check(this: Command, project: Project, wishes: Wishes) -> None:
    """Print the sections; KnownBad for a leak, CannotTell for what counts and is unknown. Removes nothing."""
    host = wishes.host or this.variables.get("VPS_HOST", "")
    here = _here(this, project)
    sections = [
        here.databases(),
        here.volumes(),
        here.buckets(),
        _on_host(host, wishes),
        not_asked(IMAGES, "no login to a registry", counts=wishes.strict),
        here.entries(),
    ]
    _show(this, sections, verbose=wishes.verbose)
    _judge(sections)


def _here(this: Command, project: Project) -> Here:
    outcome = Outcome(this.outcome.command, LOCAL)
    session = open_session(replace(this, outcome=outcome), project, LOCAL, "process")
    place = Servers(session.places.checkout, project.role, session, this.variables)
    register = Register(project.name, this.variables)
    source = (this.root / settings_file.load(this.root).app.source).resolve()
    mine = identity(application_checkout(this.root, source), this.variables)
    found = tuple(homes(project.name, this.variables, Path.home()))
    lost = census.lost(base_of(project.name, this.variables, Path.home()), session.target.marks)
    return Here(session, place, register, register.read(), found, mine.namespace, tuple(lost))


def _on_host(host: str, wishes: Wishes) -> Section:
    if host:
        return unknown(HOST, f"this version cannot ask {host}")
    return not_asked(HOST, "neither VPS_HOST nor --host is set", counts=wishes.strict)


def _show(this: Command, sections: list[Section], *, verbose: bool) -> None:
    rows = [
        (f"{number} {one.name}", one.verdict, str(len(one.leaks)), f"{one.size / MIB:.1f} MiB", one.words)
        for number, one in enumerate(sections, 1)
    ]
    this.console.table(rows)
    for leak in (leak for one in sections for leak in one.leaks if verbose):
        this.console.answer(f"    {leak.size / MIB:8.1f} MiB  {leak.name}")
    for command in NEXT:
        this.console.line(f"→ {command}")
    this.outcome.facts |= {"sections": [one.as_json() for one in sections], "next": list(NEXT)}


def _judge(sections: list[Section]) -> None:
    leaking = [one for one in sections if one.verdict == "leak"]
    if leaking:
        count = sum(len(one.leaks) for one in leaking)
        command = NEXT[0] if leaking[0].name == DATABASES else NEXT[1]
        raise KnownBad(f"{count} things belong to nobody", next_step=command, evidence=_lines(leaking))
    dark = [one for one in sections if one.verdict == "unknown" and one.counts]
    if dark:
        raise CannotTell("not every section could be looked at", next_step=NEXT[2], evidence=_lines(dark))


def _lines(sections: list[Section]) -> tuple[str, ...]:
    return tuple(f"{one.name}: {one.words or f'{len(one.leaks)} leaks'}" for one in sections)
