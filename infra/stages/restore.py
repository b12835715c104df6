"""What a rollback goes back to: recorded bundles whose code is still here."""

from __future__ import annotations

from infra.model.errors import Refused
from infra.model.record import Record
from infra.model.unit import Bundle
from infra.session import Session
from infra.stages.apply import Attempt


def last_good(session: Session, attempt: Attempt) -> dict[str, Bundle]:
    """Give the bundles to go back to, for each service of the attempt that ran another one before."""
    back: dict[str, Bundle] = {}
    for name in attempt.services:
        record = session.records.last_good(name, other_than=attempt.deploy)
        sent = attempt.picture.wanted.bundles[name].digest
        if record and record.bundle and record.bundle.digest != sent:
            back[name] = record.bundle
    return back


def require_snapshots(session: Session, bundles: dict[str, Bundle]) -> None:
    """Refuse bundles whose code is gone: what would run is not what the record says."""
    for name, bundle in bundles.items():
        if bundle.release and not session.target.snapshots.intact(bundle.release):
            raise Refused(
                f"{name}: the snapshot of release {bundle.release[:12]} is gone or was changed",
                next_step=session.say(f"{name}.setup"),
            )


def chosen(session: Session, service: str, to: str) -> Record:
    """Give the good record that `--to` names by id or commit; without a name the one before the newest."""
    good = [one for one in session.records.all(service) if one.verdict == "ok" and one.bundle]
    current = good[0].bundle_digest if good else ""
    found = [one for one in good if (_is_named(one, to) if to else one.bundle_digest != current)]
    if not found:
        words = (
            f"no good record of {service} is called {to}" if to else f"{service} has no earlier good release"
        )
        raise Refused(words, next_step=session.say(f"{service}.history"))
    return found[0]


def _is_named(record: Record, name: str) -> bool:
    return record.deploy == name or (len(name) >= 7 and record.release.startswith(name))
