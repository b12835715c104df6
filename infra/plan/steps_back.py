"""Which migrations a way back undoes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from infra.model.errors import BadInput

BASE = "base"


def steps_back(migrations: Sequence[Mapping[str, str]], at: str, to: str) -> list[Mapping[str, str]]:
    """Give the migrations between here and there, the newest first; none where the database is there.

    BadInput for a revision that the checkout does not have, or that is ahead.
    """
    by_revision = {one["revision"]: one for one in migrations}
    undone = []
    here = at
    while here and here != to:
        if here not in by_revision:
            raise BadInput(
                f"the database is at {here}, which the checkout does not have",
                next_step="check out the commit that has it, then repeat the command",
            )
        undone.append(by_revision[here])
        here = by_revision[here]["predecessor"]
    if to not in {here, BASE}:
        words = (
            f"{to!r} is ahead of {at or 'no revision'}" if to in by_revision else f"{to!r} is no migration"
        )
        raise BadInput(words, next_step="./inv db.history")
    return undone
