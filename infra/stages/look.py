"""Plan: what is wanted, what is seen, and the operations between them. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from infra.model.observed import Observed
from infra.model.operation import Operation, Plan
from infra.model.service import Service
from infra.model.unit import Bundle
from infra.plan.reconcile import Wanted, reconcile
from infra.plan.units import at_these_addresses, bundle_of
from infra.session import Request, Session
from infra.store.keyring import Keyring
from infra.targets.process import secret_files


@dataclass(frozen=True, slots=True)
class Picture:
    """What is wanted beside what is seen, and the plan that follows."""

    wanted: Wanted
    observed: Observed
    plan: Plan

    def preceded_by(self, steps: Sequence[Operation]) -> Picture:
        """Give the same picture with these steps ahead of its plan's own."""
        return replace(self, plan=replace(self.plan, operations=(*steps, *self.plan.operations)))

    @property
    def asked(self) -> tuple[Service, ...]:
        """The services of this run, in the order of their needs."""
        return tuple(one for one in self.wanted.services if one.name in self.wanted.asked)


def look(
    session: Session,
    request: Request,
    recorded: Mapping[str, Bundle] | None = None,
    left_out: Mapping[str, str] = MappingProxyType({}),
) -> Picture:
    """Give the picture of this moment; `recorded` bundles stand in for the rendered ones in a rollback.

    Those that were sent with other ports are rendered anew. Services `left_out` are no part of it.
    """
    wanted = _wanted(session, request, left_out)
    if recorded:
        back = {name: rebased(session, one) for name, one in recorded.items()}
        wanted = replace(
            wanted,
            bundles={**wanted.bundles, **back},
            asked=frozenset(recorded),
            force=False,
        )
    observed = session.target.observe(wanted.bundles.values(), session.declared_units)
    return Picture(wanted, observed, reconcile(observed, wanted))


def rebased(session: Session, bundle: Bundle) -> Bundle:
    """Give a recorded bundle as it was sent, or its release rendered anew where its addresses have moved."""
    scene = session.scene(session.keys.forecast().versions)
    return at_these_addresses(bundle, session.project.service(bundle.service), scene)


def _wanted(session: Session, request: Request, left_out: Mapping[str, str]) -> Wanted:
    services = tuple(one for one in session.with_needs(request.services) if one.name not in left_out)
    ring = session.keys.forecast(repair=request.repair_derived)
    scene = session.scene(ring.versions)
    return Wanted(
        services=services,
        bundles={service.name: bundle_of(service, scene) for service in services},
        asked=frozenset(request.services) - left_out.keys(),
        keeper=session.target.keeper_version(),
        unwritten=ring.lacking,
        put_back=frozenset(name for name, keys in ring.restored.items() if keys),
        rewritten=ring.reasons,
        secret_files={} if session.vault else {name: _file_digest(name, ring) for name in ring.values},
        held_back=frozenset(session.settings.drills.hold_back_secrets),
        force=request.force,
        left_out=left_out,
    )


def _file_digest(service: str, ring: Keyring) -> str:
    """Give the digest that the rendered file should have; none fits while keys are still to be written."""
    return "" if ring.unwritten.get(service) else secret_files.digest(ring.values[service])
