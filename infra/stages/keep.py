"""Record: what happened, written to the ledger for each service that the attempt touched."""

from __future__ import annotations

from infra.model.clock import iso
from infra.model.record import Record
from infra.model.verdict import Verdict
from infra.session import Session
from infra.stages.apply import Attempt


def keep(session: Session, attempt: Attempt, verdict: Verdict, outcome: str) -> None:
    """Write a record of this attempt for each of its services; `outcome` is the record's verdict."""
    for name in attempt.services:
        session.records.append(_record(session, attempt, verdict, name, outcome))
    if outcome == "ok":
        needed = {one.release for name in attempt.services for one in session.records.all(name) if one.bundle}
        session.target.snapshots.prune(needed)


def is_settled(session: Session, attempt: Attempt) -> bool:
    """Tell whether the newest record of each service already says ok of these very bundles."""
    for name in attempt.services:
        newest = session.records.newest(name)
        digest = attempt.picture.wanted.bundles[name].digest
        if newest is None or newest.verdict != "ok" or newest.bundle_digest != digest:
            return False
    return True


def _record(session: Session, attempt: Attempt, verdict: Verdict, name: str, outcome: str) -> Record:
    bundle = attempt.picture.wanted.bundles[name]
    steps = attempt.picture.plan.operations
    return Record(
        deploy=attempt.deploy,
        service=name,
        environment=session.environment.name,
        target="process",
        rehearsal=session.is_rehearsal,
        actor=session.actor,
        started=attempt.started,
        finished=iso(session.now()),
        verdict=outcome,
        release=bundle.release,
        bundle_digest=bundle.digest,
        operations=tuple(str(step) for step in steps if step.service == name),
        error=session.keys.redactor.redact(verdict.cause),
        migration=migration_of(verdict) or _migration_before(session, name),
        timings=dict(session.console.timings),
        bundle=bundle,
    )


def _migration_before(session: Session, name: str) -> str:
    """Give the revision of the newest record: a deploy that did not start the backend left it as it was."""
    newest = session.records.newest(name)
    return newest.migration if newest else ""


def migration_of(verdict: Verdict) -> str:
    """Give the revision that checkpoint 2 reported, empty when it reported none."""
    said = next((line for line in verdict.checkpoints if " migrations ok" in line), "")
    return said.rpartition("Database is at ")[2] if said else ""
