"""What a rollback goes back to: recorded bundles whose code is still here."""

from __future__ import annotations

from infra.model.errors import Refused
from infra.model.operation import Operation
from infra.model.record import Record
from infra.model.unit import DEVELOPMENT, Bundle
from infra.model.verdict import Verdict
from infra.plan.migrations import must_downgrade, parse
from infra.session import Session
from infra.stages.apply import Attempt
from infra.stages.keep import migration_of
from infra.stages.look import rebased
from infra.targets.process import passed_files


def last_good(session: Session, attempt: Attempt) -> dict[str, Bundle]:
    """Give the bundles to go back to, for each service of the attempt that ran another one before."""
    back: dict[str, Bundle] = {}
    for name in attempt.services:
        record = session.records.last_good(name, other_than=attempt.deploy)
        sent = attempt.picture.wanted.bundles[name].digest
        if record and record.bundle and rebased(session, record.bundle).digest != sent:
            back[name] = record.bundle
    return back


def require_snapshots(session: Session, bundles: dict[str, Bundle]) -> None:
    """Refuse bundles whose code or variables are gone: what would run is not what the record says."""
    for name, bundle in bundles.items():
        if bundle.release and not session.target.snapshots.intact(bundle.release):
            raise Refused(
                f"{name}: the snapshot of release {bundle.release[:12]} is gone or was changed",
                next_step=session.say(f"{name}.setup"),
            )
        if not passed_files.are_kept(bundle, session.passed):
            raise Refused(
                f"{name}: the variables of app.environment that this release got are not kept any more",
                next_step=session.say(f"{name}.setup"),
            )


def way_back(
    session: Session, attempt: Attempt, verdict: Verdict, back: dict[str, Bundle]
) -> list[Operation]:
    """Give the operations that take the database back first; Refused where a migration has no way back."""
    at = migration_of(verdict)
    steps: list[Operation] = []
    for name, bundle in back.items():
        sent = attempt.picture.wanted.bundles[name]
        record = session.records.last_good(name, other_than=attempt.deploy)
        if not at or not bundle.release or record is None or at == record.migration:
            continue
        texts = session.target.snapshots.texts(sent.release, "migrations/versions/*.py")
        if must_downgrade(parse(texts), at, record.migration, session.say(f"{name}.setup")):
            reason = "the release that is left migrated it"
            steps += [
                Operation("stop-unit", name, unit.name, "its database goes back") for unit in sent.units
            ]
            steps.append(Operation("downgrade-database", name, record.migration, reason))
    return steps


def chosen(session: Session, service: str, to: str) -> Record:
    """Give the good record that `--to` names by id or commit; without a name the one before the newest."""
    good = [one for one in session.records.all(service) if one.verdict == "ok" and one.bundle]
    current = _running(session, service) or {one.bundle_digest for one in good[:1]}
    found = [one for one in good if (_is_named(one, to) if to else _is_another(session, one, current))]
    if not found:
        words = (
            f"no good record of {service} is called {to}" if to else f"{service} has no earlier good release"
        )
        raise Refused(words, next_step=session.say(f"{service}.history"))
    return found[0]


def _running(session: Session, service: str) -> set[str]:
    """Give the bundles that a service runs now: what is before them is not always what was written last."""
    return {one.bundle for one in session.target.running() if one.service == service} - {DEVELOPMENT}


def _is_another(session: Session, record: Record, current: set[str]) -> bool:
    return record.bundle is not None and {rebased(session, record.bundle).digest} != current


def _is_named(record: Record, name: str) -> bool:
    return record.deploy == name or (len(name) >= 7 and record.release.startswith(name))
