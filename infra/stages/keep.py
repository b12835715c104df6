"""Record: what happened, written to the ledger for each service that the attempt touched."""

from __future__ import annotations

from pathlib import Path

from infra.model.clock import iso
from infra.model.errors import InfraError, NotCleaned
from infra.model.faults import as_error
from infra.model.record import Record
from infra.model.verdict import Verdict
from infra.session import Session
from infra.stages.apply import Attempt
from infra.store.unwritten import Unwritten
from infra.targets.process import passed_files


def keep(session: Session, attempt: Attempt, verdict: Verdict, outcome: str) -> None:
    """Write a record of this attempt for each of its services; `outcome` is the record's verdict.

    What cannot be written is said and kept aside for the next command that changes: it decides nothing.
    """
    faults = [
        _written(session, _record(session, attempt, verdict, name, outcome)) for name in attempt.services
    ]
    if outcome == "ok" and not any(faults):
        faults.append(_pruned(session, attempt))
    for fault in filter(None, faults):
        session.outcome.fail(fault)
        session.console.error(fault)


def unwritten(session: Session) -> Unwritten:
    """Give where unwritten records wait: beside the state, or in memory where that is full."""
    return Unwritten((Path(session.places.root), Path(session.places.secrets)))


def _written(session: Session, record: Record) -> InfraError | None:
    try:
        session.records.append(record)
    except Exception as error:  # noqa: BLE001  # the deploy has its end already, whatever the store says
        fault = as_error(error)
    else:
        return None
    is_kept = unwritten(session).keep(record)
    words = "the next command that changes something writes it" if is_kept else "it is lost"
    return NotCleaned(
        f"the record of {record.deploy} ({record.service}: {record.verdict}) was not written: {words}",
        evidence=(fault.message, *fault.evidence),
        next_step=fault.next_step or session.say(f"{record.service}.history"),
    )


def _pruned(session: Session, attempt: Attempt) -> InfraError | None:
    try:
        needed = {one.release for name in attempt.services for one in session.records.all(name) if one.bundle}
        session.target.snapshots.prune(needed)
        passed_files.prune(session.places, _passed_files(session))
    except Exception as error:  # noqa: BLE001  # old snapshots that stay are no fault of the release
        fault = as_error(error)
        words = f"snapshots that nobody needs any more are not all removed: {fault.message}"
        return NotCleaned(words, evidence=fault.evidence, next_step=fault.next_step)
    return None


def _passed_files(session: Session) -> set[Path]:
    """Give the files of variables that a recorded release was started with."""
    names = [service.name for service in session.services if service.from_source]
    bundles = [one.bundle for name in names for one in session.records.all(name) if one.bundle]
    return {file for bundle in bundles for file in passed_files.files_of(bundle)}


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
        error=_masked(session, verdict.cause),
        migration=migration_of(verdict) or migration_before(session, name),
        timings=dict(session.console.timings),
        bundle=bundle,
    )


def _masked(session: Session, cause: str) -> str:
    """Give a cause as it may be kept; it may quote a log, where old values stand."""
    if cause:
        session.console.recall()
    return session.keys.redactor.redact(cause)


def migration_before(session: Session, name: str) -> str:
    """Give the revision of the newest record: a deploy that did not start the backend left it as it was."""
    newest = session.records.newest(name)
    return newest.migration if newest else ""


def migration_of(verdict: Verdict) -> str:
    """Give the revision that checkpoint 2 reported, empty when it reported none."""
    said = next((line for line in verdict.checkpoints if " migrations ok" in line), "")
    return said.rpartition("Database is at ")[2] if said else ""
