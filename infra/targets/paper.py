"""A target that this version cannot ask: every read of it is unknown, with the reason."""

from __future__ import annotations

from collections.abc import Iterable

from infra.model.environment import Target
from infra.model.observed import Observed, Unknown
from infra.model.unit import Bundle

KEEPS_RECORDS = ("dokploy", "ssh")


def observe(target: Target, bundles: Iterable[Bundle]) -> Observed:
    """Give unknown for everything that a plan would have to know of these bundles."""
    unknown = Unknown(f"this version cannot ask target {target}")
    wanted = list(bundles)
    has_agent = {one.service for one in wanted if any(unit.health.probe == "agent" for unit in one.units)}
    records = {one.service: unknown for one in wanted} if target in KEEPS_RECORDS else {}
    return Observed(
        units={unit.name: unknown for one in wanted for unit in one.units},
        sent=records,
        credentials=dict.fromkeys(sorted(has_agent), unknown),
    )
