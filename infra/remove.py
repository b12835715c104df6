"""Taking an environment down, or away."""

from __future__ import annotations

import shutil
from pathlib import Path

from infra import consent
from infra.model.clock import deploy_id, iso
from infra.model.errors import CannotTell, KnownBad
from infra.model.record import Record
from infra.session import Request, Session
from infra.stages.lease import leased
from infra.store.paths import derived_path, secrets_path
from infra.vault.entry import MEMORY


def down(session: Session, request: Request) -> None:
    """Stop all units, the last started first; data, secrets and records stay."""
    with leased(session, request):
        _stop(session)


def _stop(session: Session) -> None:
    units = [name for service in reversed(session.services) for name in reversed(session.unit_names(service))]
    with session.console.stage("stop") as stage:
        running = session.target.living()
        left = session.target.end_all([*units, *(name for name in running if name not in units)])
        if left:
            pids = ", ".join(map(str, left))
            raise KnownBad(f"these processes do not end: {pids}", next_step=f"kill -9 {left[0]}")
        still = session.target.living()
        if still:
            raise KnownBad(f"still running: {', '.join(still)}", next_step=session.say("down"))
        stage.say(f"{len(running)} units stopped" if running else "nothing was running")
    session.outcome.changes = [f"stop {name}" for name in running]
    session.outcome.outcome = "stopped" if running else "nothing to do"


def destroy(session: Session, request: Request, *, yes: bool) -> None:
    """Remove processes, data, secrets, rendered files and snapshots of this environment; records stay."""
    places = [Path(session.places.root), Path(session.places.secrets)]
    found = [(place, _size(place)) for place in places if place.exists()]
    for place, size in found:
        session.console.line(f"    {place}   {size / 1024 / 1024:.1f} MiB")
    session.console.line(f"    the secrets of {session.environment.name} in the store")
    _consent(session, yes=yes)
    with leased(session, request):
        _stop(session)
        with session.console.stage("remove") as stage:
            remember(session, *session.service_names)
            _forget_secrets(session)
            for place, _ in found:
                _remove(place, session)
            stage.say(f"{len(found)} folders, and the secrets")
    session.outcome.changes += [f"remove {place}" for place, _ in found]
    session.outcome.outcome = "destroyed"


def _consent(session: Session, *, yes: bool) -> None:
    name = session.environment.name
    if yes and (session.is_rehearsal or not session.environment.asks_consent):
        return
    with_yes, otherwise = session.say("destroy --yes"), session.say("status")
    consent.require(
        session.console, name, "remove all of this for good", with_yes=with_yes, otherwise=otherwise
    )


def remember(session: Session, *services: str) -> None:
    """Write that these services were removed, so that an empty data folder is expected afterwards."""
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


def _remove(place: Path, session: Session) -> None:
    """Remove a folder; what a living `vault.dev` has there stays."""
    if session.vault and place.exists():
        for path in place.iterdir():
            if not path.name.startswith(MEMORY):
                _remove_whole(path)
    else:
        _remove_whole(place)


def _remove_whole(place: Path) -> None:
    try:
        shutil.rmtree(place) if place.is_dir() and not place.is_symlink() else place.unlink()
    except FileNotFoundError:
        return
    except OSError as error:
        raise CannotTell(f"{error.filename}: {error.strerror}", next_step=f"rm -r {place}") from error


def _size(place: Path) -> int:
    return sum(path.lstat().st_size for path in place.rglob("*") if path.is_file() and not path.is_symlink())
