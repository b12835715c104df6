"""Taking an environment down, or away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from infra import consent
from infra.cleanup import folder
from infra.model.clock import deploy_id, iso
from infra.model.errors import CannotTell, KnownBad
from infra.model.interruption import Interrupted
from infra.model.observed import UNPROVEN
from infra.model.record import Record
from infra.session import Request, Session
from infra.stages import left
from infra.stopping import CANNOT_WRITE, holder, note, stopping, writing
from infra.store.paths import derived_path, secrets_path
from infra.vault.entry import MEMORY

Thing = TypeVar("Thing")


def down(session: Session, request: Request, *, unproven: bool = False) -> None:
    """Stop all units, the last started first; data, secrets and records stay.

    With `unproven` also what bears our marks and our user without a proof: that takes a person's word.
    Where nothing runs nothing is written. NotCleaned when it is done and could not be written down.
    """
    if _nothing_runs(session) and not (unproven and session.target.unproven()):
        session.outcome.outcome = "nothing to do"
        session.console.line("nothing was running")
        return
    with stopping(session, request), _telling_what_is_left(session, "down"):
        _settle(session)
        if unproven:
            _end_unproven(session)
        _stop(session)


@contextmanager
def _telling_what_is_left(session: Session, task: str, *places: Path) -> Iterator[None]:
    """Let a signal wait for the end of an operation, and say then what still runs or lies there."""
    try:
        with session.interruption.held():
            yield
    except Interrupted:
        left_over = [*session.target.living(), *(str(place) for place in places if place.exists())]
        session.outcome.facts["left"] = left_over
        session.console.line(f"interrupted; left: {', '.join(left_over) or 'nothing'}")
        session.console.line(f"→ {session.say(task)}")
        raise


def _settle(session: Session) -> None:
    with writing(session, "what earlier commands left behind"):
        left.settle(session)


def _nothing_runs(session: Session) -> bool:
    return session.target.is_quiet() and holder(session) is None


def _end_unproven(session: Session) -> None:
    """End what could be ours and does not prove it, each by its name."""
    found = session.target.unproven()
    for one in found:
        session.console.line(f"ending {one} {UNPROVEN}")
    _require_ended(session.target.end_unproven())
    session.outcome.changes += [f"end {one}" for one in found]


def _require_ended(stubborn: list[int]) -> None:
    if stubborn:
        pids = ", ".join(map(str, stubborn))
        raise KnownBad(f"these processes do not end: {pids}", next_step=f"kill -9 {stubborn[0]}")


def _stop(session: Session) -> None:
    units = [name for service in reversed(session.services) for name in reversed(session.unit_names(service))]
    with session.console.stage("stop") as stage:
        running = session.target.living()
        stubborn = session.target.end_all(_in_turn(session, [*units, *(set(running) - set(units))]))
        _require_ended(stubborn)
        still = session.target.living()
        if still:
            raise KnownBad(f"still running: {', '.join(still)}", next_step=session.say("down"))
        stage.say(f"{len(running)} units stopped" if running else "nothing was running")
    session.outcome.changes += [f"stop {name}" for name in running]
    session.outcome.outcome = "stopped" if session.outcome.changes else "nothing to do"


def _in_turn(session: Session, things: Iterable[Thing]) -> Iterator[Thing]:
    """Give the things one after another, as long as nobody asks to stop."""
    for one in things:
        session.interruption.require()
        yield one


def destroy(session: Session, request: Request, *, yes: bool) -> None:
    """Remove processes, data, secrets, rendered files and snapshots of this environment; records stay.

    NotCleaned names what could not be removed or written down, after all else is gone.
    """
    places = [Path(session.places.root), Path(session.places.secrets)]
    found = [(place, folder.size([place])) for place in places if place.exists()]
    has_secrets = _has_secrets(session)
    unproven = session.target.unproven()
    if not found and not has_secrets and not unproven and _nothing_runs(session):
        session.outcome.outcome = "nothing to do"
        session.console.line(f"there is nothing of {session.environment.name} here")
        return
    for place, size in found:
        session.console.line(f"    {place}   {size / 1024 / 1024:.1f} MiB")
    for one in unproven:
        session.console.line(f"    {one} {UNPROVEN}")
    if has_secrets:
        session.console.line(f"    the secrets of {session.environment.name} in the store")
    _consent(session, yes=yes)
    with stopping(session, request), _telling_what_is_left(session, "destroy", *places):
        _settle(session)
        _end_unproven(session)
        _stop(session)
        with session.console.stage("remove") as stage:
            with remembered(session, *session.service_names):
                for place, _ in _in_turn(session, found):
                    _remove(place, session)
            with writing(session, "the secrets in the store"):
                _forget_secrets(session)
            stage.say(f"{len(found)} folders, and the secrets")
        session.outcome.changes += [f"remove {place}" for place, _ in found if not place.exists()]
        session.outcome.outcome = "destroyed"


def _consent(session: Session, *, yes: bool) -> None:
    name = session.environment.name
    if yes and (session.is_rehearsal or not session.environment.asks_consent):
        return
    with_yes, otherwise = session.say("destroy --yes"), session.say("status")
    consent.require(
        session.console, name, "remove all of this for good", with_yes=with_yes, otherwise=otherwise
    )


@contextmanager
def remembered(session: Session, *services: str) -> Iterator[None]:
    """Write that these services were removed, so that an empty data folder is expected afterwards.

    It is written before the body removes them; on a full disk after it, which makes room.
    """
    try:
        _remember(session, *services)
        is_written = True
    except CANNOT_WRITE:
        is_written = False
    yield
    if not is_written:
        with writing(session, "that it was removed"):
            _remember(session, *services)


def _remember(session: Session, *services: str) -> None:
    moment = session.now()
    for service in services:
        if session.records.newest(service):
            session.records.append(
                Record(
                    deploy=deploy_id(moment, "gone"),
                    service=service,
                    environment=session.environment.name,
                    target="process",
                    rehearsal=session.is_rehearsal,
                    actor=session.actor,
                    started=iso(moment),
                    finished=iso(moment),
                    verdict="destroyed",
                    release="",
                    bundle_digest="",
                ),
            )


def _forget_secrets(session: Session) -> None:
    place = session.project.name, session.store_path
    for service in session.services:
        if service.secrets:
            session.store.purge(secrets_path(*place, service.name))
            session.store.purge(derived_path(*place, service.name))


def _has_secrets(session: Session) -> bool:
    names = session.store.list(f"{session.project.name}/{session.store_path}")
    return any(not name.startswith("_state") for name in names)


def _remove(place: Path, session: Session) -> None:
    """Remove a folder, and those above it that are left empty; what a living `vault.dev` has there stays."""
    kept = MEMORY if session.vault else None
    inside = [path for path in place.iterdir() if kept and not path.name.startswith(kept)]
    for one in inside if kept else [place]:
        try:
            folder.remove(one)
        except CannotTell as error:
            note(session, error.message)
    folder.remove_empty(place.parent, place.parents[2])
