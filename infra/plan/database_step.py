"""Where in a plan the database's role and ownership are made sure of."""

from __future__ import annotations

from collections.abc import Sequence

from infra.model.operation import Operation
from infra.model.service import Service

STARTS = ("start-unit", "restart-unit", "deploy")


def with_database(steps: Sequence[Operation], services: Sequence[Service]) -> list[Operation]:
    """Give the steps with that one before the first start of a service that needs the database.

    At the end when nothing that needs it starts; nowhere when there are no steps, or no database.
    """
    owner = next((one for one in services if one.parts[0].program == "postgres"), None)
    if owner is None or not steps:
        return list(steps)
    users = {one.name for one in services if one.from_source and owner.name in one.needs}
    starts = (i for i, step in enumerate(steps) if step.service in users and step.kind in STARTS)
    place = next(starts, len(steps))
    is_certain = any(step.is_certain for step in steps)
    ensure = Operation("ensure-database", owner.name, owner.name, "at every change", is_certain=is_certain)
    return [*steps[:place], ensure, *steps[place:]]
