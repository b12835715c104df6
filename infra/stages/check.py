"""Preflight: everything that must hold before the first change, reported together."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

from infra.model.errors import CannotTell, Denied, InfraError, KnownBad, Refused
from infra.model.observed import Running
from infra.plan.preflight import Ground, preflight
from infra.session import Request, Session
from infra.stages.look import Picture
from infra.stages.ports import STARTS, strangers, taken, written
from infra.targets.process import credentials


def check(session: Session, request: Request, picture: Picture) -> str:
    """Give a few words on what was checked; raises the faults, all of them in one error."""
    known = preflight(picture.observed, _ground(session, request, picture))
    faults = [*known, *_tree(session, picture), *_ports(session, picture)]
    if faults:
        raise _together(faults)
    return "data folders, disk, ports"


def require_same(session: Session, request: Request, picture: Picture) -> None:
    """Refuse to go on when the plan is not the one that was agreed to: the world has moved since."""
    if request.plan and request.plan != picture.plan.identity:
        service = f"{request.services[0]}.plan" if len(request.services) == 1 else "plan"
        raise Refused(
            f"plan {request.plan} was agreed to, and now it would be {picture.plan.identity}",
            next_step=session.say(service),
        )


def _ground(session: Session, request: Request, picture: Picture) -> Ground:
    disk = os.statvfs(_existing(Path(session.places.root)))
    return Ground(
        commands=session.commands,
        checkout=session.places.checkout,
        services=picture.wanted.services,
        deployed=frozenset(one.name for one in picture.wanted.services if _has_run(session, one.name)),
        allow_empty=request.init,
        free_bytes=disk.f_bavail * disk.f_frsize,
        total_bytes=disk.f_blocks * disk.f_frsize,
        places={one.name: session.places.data(one.name) for one in picture.wanted.services},
        without_credential=tuple(_without_credential(session, picture)),
        locked=frozenset(_locked(session, picture)),
        doubted=dict(_doubted(picture)),
    )


def _doubted(picture: Picture) -> Iterator[tuple[str, Running]]:
    """Give what may work on the data of a service that is about to start, by that service.

    A supervisor without a proof may start again what does.
    """
    starting = {step.service for step in picture.plan.operations if step.kind in STARTS}
    for service in picture.wanted.services:
        names = {"", *(part.name for part in service.parts)}
        found = next((one for one in picture.observed.unproven if one.unit in names), None)
        if found and service.data_version and service.name in starting:
            yield service.name, found


def _locked(session: Session, picture: Picture) -> Iterator[str]:
    """Give the services whose data take only a password that the store would have to make anew."""
    missing = {key for service, key in _new_keys(session)}
    for service in picture.wanted.services:
        if service.parts[0].program == "postgres" and "POSTGRES_PASSWORD" in missing:
            yield service.name


def _new_keys(session: Session) -> Iterator[tuple[str, str]]:
    ring = session.keys.forecast()
    for service, keys in ring.generated.items():
        yield from ((service, key) for key in keys if key not in ring.restored.get(service, ()))


def _without_credential(session: Session, picture: Picture) -> Iterator[str]:
    for service in picture.wanted.services:
        if session.vault and session.has_agent(service):
            known = credentials.delivered(session.places, service.name)
            if not (known and known.is_enough and known.address == session.vault.address):
                yield service.name


def _has_run(session: Session, service: str) -> bool:
    """Tell whether a deploy came so far that the service's data were made, since they were last removed."""
    since = itertools.takewhile(lambda one: one.verdict != "destroyed", session.records.all(service))
    return any(not one.ended_in_apply for one in since)


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def _tree(session: Session, picture: Picture) -> list[InfraError]:
    """Give what is wrong with the application's tree, where it is about to become a release."""
    if any(step.kind == "store-release" for step in picture.plan.operations):
        try:
            session.target.snapshots.require_closed(session.source)
        except Denied as refused:
            return [refused]
    return []


def _ports(session: Session, picture: Picture) -> list[InfraError]:
    """Give the fault of written ports that strangers hold; the others move."""
    held = written(session, strangers(session, picture))
    return [taken(session, held)] if held else []


def _together(faults: list[InfraError]) -> InfraError:
    """Give one error for all faults: a known bad one decides, since it would stop the deploy for good."""
    if len(faults) == 1:
        return faults[0]
    first = next((fault for fault in faults if isinstance(fault, KnownBad)), faults[0])
    kind = type(first) if isinstance(first, KnownBad) else CannotTell
    evidence = tuple(f"{fault.message}   → {fault.next_step}" for fault in faults)
    return kind(f"{len(faults)} things have to be mended first", next_step=first.next_step, evidence=evidence)
