"""One path by the rules of KV version 2, without any file: versions, check-and-set, delete, destroy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from infra.model.errors import CasLost, DeletedVersion, NotFound
from infra.model.secret import Secret
from infra.store.interface import Metadata, State, Version, Versioned


@dataclass(frozen=True, slots=True)
class _Kept:
    created: datetime
    state: State
    values: Mapping[str, str]


class Entry:
    """The versions of one path; `current` counts up and never back."""

    def __init__(self, path: str, current: int = 0, kept: Mapping[int, _Kept] | None = None) -> None:
        self.path = path
        self.current = current
        self._kept = dict(kept or {})

    def read(self, version: int | None = None) -> Versioned:
        """Give a version's values; NotFound or DeletedVersion."""
        number = self.current if version is None else version
        kept = self._kept.get(number)
        if kept is None:
            words = (
                f"{self.path} has no version {number}" if self.current else f"{self.path} was never written"
            )
            raise NotFound(words)
        if kept.state != "live":
            raise DeletedVersion(f"{self.path}: version {number} is {kept.state}")
        secrets = {key: Secret(value) for key, value in kept.values.items()}
        return Versioned(self.path, number, kept.created, secrets)

    def write(self, values: Mapping[str, Secret], cas: int | None, now: datetime, keep: int) -> int:
        """Add a version and drop those before the last `keep`; CasLost when `cas` is not the current one."""
        if cas is not None and cas != self.current:
            raise CasLost(f"{self.path} is at version {self.current}, expected was {cas}")
        self.current += 1
        self._kept[self.current] = _Kept(now, "live", {key: value.reveal() for key, value in values.items()})
        self._kept = {number: kept for number, kept in self._kept.items() if number > self.current - keep}
        return self.current

    def mark(self, numbers: Iterable[int], before: State, after: State) -> None:
        """Turn those of the versions that are in one state into another."""
        for number in numbers:
            kept = self._kept.get(number)
            if kept is not None and kept.state == before:
                self._kept[number] = replace(kept, state=after)

    def destroy(self, numbers: Iterable[int]) -> None:
        """Forget the values of these versions."""
        for number in numbers:
            kept = self._kept.get(number)
            if kept is not None:
                self._kept[number] = replace(kept, state="destroyed", values={})

    def metadata(self) -> Metadata:
        """Give the versions without their values."""
        versions = (Version(number, kept.created, kept.state) for number, kept in sorted(self._kept.items()))
        return Metadata(self.path, self.current, tuple(versions))

    def as_json(self) -> dict[str, Any]:
        """Give the entry as plain values, secrets in clear; `entry_from_json` reads it back."""
        versions = {
            str(number): {
                "created": kept.created.isoformat(),
                "state": kept.state,
                "values": dict(kept.values),
            }
            for number, kept in self._kept.items()
        }
        return {"current": self.current, "versions": versions}


def entry_from_json(path: str, value: Mapping[str, Any]) -> Entry:
    """Give the entry that `Entry.as_json` wrote; KeyError, TypeError or ValueError when it is none."""
    kept = {
        int(number): _Kept(datetime.fromisoformat(one["created"]), one["state"], {**one["values"]})
        for number, one in value["versions"].items()
    }
    return Entry(path, int(value["current"]), kept)
