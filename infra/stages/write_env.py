"""Writes one owner's keys into a platform's env: merged, written, read back, compared, tried once more."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Protocol

from infra.model.env_text import parse
from infra.model.errors import CannotTell, StoreError
from infra.model.observed import Absent, Found, Unknown
from infra.model.secret import Secret
from infra.plan.platform_env import Merged, Owner, merge, owner_of

TRIES = 2
LOOK = "look at the env in the platform, then repeat the command"


class EnvHome(Protocol):
    """Where a platform keeps the env of one service."""

    def read(self) -> Found[str] | Absent | Unknown:
        """Give the text as it stands."""

    def write(self, text: str) -> None:
        """Put a whole text in its place."""


def write_env(
    home: EnvHome,
    owner: Owner,
    wanted: Mapping[str, Secret | str],
    operators: Collection[str] = (),
    required: Collection[str] = (),
) -> Merged:
    """Make this owner's keys what is wanted and give what changed; a repeat is safe and changes nothing.

    CannotTell when the text cannot be read: before the write, nothing is written then. StoreError names keys
    of ours that the platform lost or altered twice, or keys of others that are gone. Another writer's change
    between read and write is merged again.
    """
    first = due = merge(_present(home), owner, wanted, operators, required)
    for _ in range(TRIES):
        if not due.changed:
            return replace(due, changed=first.changed)
        home.write(due.text)
        after = _present(home)
        _require_others(due.text, after, owner, operators)
        due = merge(after, owner, wanted, operators, required)
    if due.changed:
        words = f"the platform did not keep these keys as written, twice: {', '.join(due.changed)}"
        raise StoreError(words, next_step=LOOK)
    return replace(due, changed=first.changed)


def _present(home: EnvHome) -> str:
    seen = home.read()
    if isinstance(seen, Unknown):
        raise CannotTell(
            f"the platform's env cannot be read: {seen.cause}", next_step="mend it, then repeat the command"
        )
    return seen.fact if isinstance(seen, Found) else ""


def _require_others(text: str, after: str, owner: Owner, operators: Collection[str]) -> None:
    """Refuse to call it done when keys of others are gone; a second write could undo what another writer did.

    An owner may have changed a key of its own meanwhile; one that nobody owns, no writer of ours changes.
    """
    found, owners = parse(after), {key: owner_of(key, operators) for key in parse(text)}
    lost = sorted(
        key
        for key, value in parse(text).items()
        if owners[key] != owner and (key not in found or (owners[key] is None and found[key] != value))
    )
    if lost:
        raise StoreError(f"the platform did not keep keys of others: {', '.join(lost)}", next_step=LOOK)
