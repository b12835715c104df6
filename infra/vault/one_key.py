"""Writes single keys of a path, and leaves all others as they are, whoever else writes there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from infra.model.errors import CasLost, NotFound
from infra.model.secret import Secret
from infra.store.interface import Store

TRIES = 2
LOOKS_BACK = 3


@dataclass(frozen=True, slots=True)
class Written:
    """What the path held before (version 0: nothing), and the version that holds the new values."""

    before: Mapping[str, Secret]
    was: int
    version: int

    @property
    def is_new(self) -> bool:
        """True when something had to be written."""
        return self.version != self.was


def write_keys(store: Store, path: str, values: Mapping[str, Secret]) -> Written:
    """Merge these values into a path by check-and-set; nothing is written when it holds them already.

    A lost race is read again, merged and written once more; then CasLost. A repeat is safe.
    """
    for left in reversed(range(TRIES)):
        held, version = newest(store, path)
        if all(held.get(key) == value for key, value in values.items()):
            return Written(held, version, version)
        try:
            return Written(held, version, store.put(path, {**held, **values}, cas=version))
        except CasLost:
            if not left:
                raise
    raise AssertionError  # the last try returns or raises


def newest(store: Store, path: str) -> tuple[Mapping[str, Secret], int]:
    """Give the values and the version of a path; nothing and 0 when it was never written."""
    try:
        held = store.get(path)
    except NotFound:
        return {}, 0
    return held.values, held.version


def older(store: Store, path: str, version: int, keys: Iterable[str]) -> Iterator[Mapping[str, Secret]]:
    """Give the values of the versions before this one that hold all these keys, the newest first.

    Only as far back as two runs that were cut short can have come.
    """
    wanted = set(keys)
    for number in range(version - 1, max(0, version - 1 - LOOKS_BACK), -1):
        try:
            found = store.get(path, number).values
        except LookupError:
            continue
        if wanted <= found.keys():
            yield found
