"""Who reads which secrets now: the units that run, and the version that each was started with."""

from __future__ import annotations

from infra.model.observed import Running
from infra.model.service import Service
from infra.plan.audit_rows import Reader
from infra.plan.units import bundle_of
from infra.session import Session


def readers_of(session: Session, service: Service, version: int) -> list[Reader]:
    """Give the running units of a service that read its secrets; `version` is the store's newest."""
    bundle = bundle_of(service, session.scene({service.name: version}))
    named = {part.name for part in service.parts if part.reads_secrets}
    units = [unit for unit in bundle.units if unit.name in named]
    observed = session.target.observe_units(units)
    found = (observed.running(unit.name) for unit in units)
    return [
        Reader(one.unit, one.started, _version_of(session, service.name, one))
        for one in found
        if one is not None
    ]


def _version_of(session: Session, service: str, running: Running) -> int | None:
    """Give the version that the record of its bundle names; None when no record does."""
    for record in session.records.all(service):
        if record.bundle_digest == running.bundle and record.bundle:
            return dict(record.bundle.secret_versions).get(service)
    return None
