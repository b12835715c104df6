"""What commands before this one left untold: records that were not written, and deploys that were killed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from infra.model.clock import iso
from infra.model.observed import UNPROVEN, Running
from infra.model.record import Record
from infra.model.unit import DEVELOPMENT
from infra.session import Session
from infra.stages.keep import migration_before, unwritten
from infra.store import leases, owner
from infra.store.paths import lease_path

KILLED = "it was ended half-way, and how it went was not written"


def tell(session: Session, seen: Iterable[Running], unproven: Iterable[Running] = ()) -> None:
    """Say what was left, from what runs; a deploy that is under way is somebody else's to tell.

    `unproven` is what could be ours and does not prove it.
    """
    lines = [*_of_a_dead_owner(session), *(_words(one) for one in killed(session, seen))]
    lines += [
        f"the record of {one.deploy} ({one.service}: {one.verdict}) waits to be written"
        for one in unwritten(session).records()
    ]
    ends = session.say("down")
    lines += [f"{one} {UNPROVEN}: {ends} ends it" for one in unproven]
    for line in lines:
        session.console.line(f"left behind: {line}")
    if lines:
        session.outcome.facts["left_behind"] = lines


def settle(session: Session) -> None:
    """Write down what was left; under the lease, before anything else is recorded. A repeat is safe."""
    waiting = unwritten(session)
    for record in waiting.records():
        session.records.append(record)
        waiting.forget(record)
    for one in killed(session, session.target.running()):
        session.records.append(_record(session, one))
        session.console.line(f"left behind: {_words(one)}; it is recorded now")


def killed(session: Session, seen: Iterable[Running]) -> list[Running]:
    """Give a unit of each deploy that runs and that no record tells of."""
    if _is_under_way(session):
        return []
    found = {(one.service, one.deploy): one for one in seen if one.deploy and one.bundle != DEVELOPMENT}
    known = {name: _known(session, name) for name in {service for service, _ in found}}
    return [one for (service, deploy), one in found.items() if deploy not in known[service]]


def _known(session: Session, service: str) -> set[str]:
    waiting = {one.deploy for one in unwritten(session).records() if one.service == service}
    return {*session.records.ids(service), *waiting}


def _is_under_way(session: Session) -> bool:
    """Tell whether somebody else is deploying: what is not recorded yet is theirs."""
    holder = None if session.claim.holding else leases.standing(session.store, _lease(session))
    return holder is not None and not leases.is_over(holder, time.monotonic())


def _of_a_dead_owner(session: Session) -> Iterator[str]:
    holder = None if session.claim.holding else leases.standing(session.store, _lease(session))
    if holder is not None and owner.is_gone(holder):
        since = iso(holder.acquired)
        yield f"`{holder.reason}` of {holder.holder} (pid {holder.pid}) since {since} was killed"


def _lease(session: Session) -> str:
    return lease_path(session.project.name, session.store_path)


def _words(one: Running) -> str:
    return f"{one.service} runs deploy {one.deploy}: {KILLED}"


def _record(session: Session, one: Running) -> Record:
    """Give the record of a killed deploy: what it runs is known where an earlier one ran the same."""
    moment = iso(session.now())
    same = (record for record in session.records.all(one.service) if record.bundle_digest == one.bundle)
    known = next(same, None)
    return Record(
        deploy=one.deploy,
        service=one.service,
        environment=session.environment.name,
        target="process",
        rehearsal=session.is_rehearsal,
        actor=session.actor,
        started=moment,
        finished=moment,
        verdict="interrupted",
        release=known.release if known else "",
        bundle_digest=one.bundle,
        error=KILLED,
        migration=migration_before(session, one.service),
        bundle=known.bundle if known else None,
    )
