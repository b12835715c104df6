"""The way back over migrations, from what each migration declares of itself."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from infra.model.errors import Refused

DECLARATIONS = ("compatible", "downgrade", "irreversible")


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration module's own words; `rollback` is empty when it declares nothing."""

    revision: str
    predecessor: str
    rollback: str


def parse(texts: Iterable[str]) -> dict[str, Migration]:
    """Give the migrations by revision; modules without a revision are none."""
    found = (_migration(text) for text in texts)
    return {one.revision: one for one in found if one.revision}


def _migration(text: str) -> Migration:
    words: dict[str, str] = {}
    for node in ast.parse(text).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        value = getattr(node, "value", None)
        for target in targets:
            if isinstance(target, ast.Name) and isinstance(value, ast.Constant):
                words[target.id] = str(value.value or "")
    return Migration(words.get("revision", ""), words.get("down_revision", ""), words.get("rollback", ""))


def must_downgrade(migrations: Mapping[str, Migration], at: str, back_to: str, forward: str) -> bool:
    """Tell whether the database has to be taken back before older code runs on it.

    Refused names a migration that cannot be undone, or says nothing of its way back; `forward` deploys a
    mended release.
    """
    ahead = _between(migrations, at, back_to)
    for one in ahead:
        if one.rollback not in DECLARATIONS or one.rollback == "irreversible":
            said = f"is declared {one.rollback}" if one.rollback else "declares no way back"
            raise Refused(
                f"migration {one.revision} {said}: older code must not run on this database",
                next_step=f"mend the release and go forward: {forward}",
            )
    return any(one.rollback == "downgrade" for one in ahead)


def _between(migrations: Mapping[str, Migration], at: str, back_to: str) -> list[Migration]:
    ahead = []
    while at and at != back_to and at in migrations:
        ahead.append(migrations[at])
        at = migrations[at].predecessor
    return ahead
