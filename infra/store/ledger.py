"""The ledger: records of what was deployed, one JSON object each, in the order in which they were written.

Each record's name begins with its number in the ledger, so that no clock decides which one is newer. Names
without a number are of a version before, and older than all that have one; they sort by their time.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from infra.model.errors import CasLost
from infra.store import records
from infra.store.interface import Store
from infra.store.paths import checked, records_path

WHOLE = 10
_NUMBERED = re.compile(r"([0-9]{8})-(.+)")


class Ledger:
    """The records of one environment; their ids begin with a digit, and a good one's `verdict` is ok.

    The last ten are kept whole, older ones keep the fields of `summary`. Where none of the ten is good, the
    newest good one stays whole too: it is what a rollback returns to.
    """

    def __init__(self, store: Store, project: str, env: str, summary: Collection[str]) -> None:
        self._store = store
        self._place = project, env
        self._summary = frozenset(summary)

    def append(self, service: str, record_id: str, record: Mapping[str, Any]) -> None:
        """Write a new record; the same one twice is one, another one of the same id is CasLost."""
        names = self._names(service)
        known = next((name for name in names if _id(name) == record_id), None)
        if known is None:
            number = _number(names[0]) + 1 if names else 1
            records.write(self._store, self._path(service, f"{number:08}-{record_id}"), record, cas=0)
        elif records.read(self._store, self._path(service, known))[0] != record:
            raise CasLost(f"{record_id} is another record of {service} already")
        self._shorten(service)

    def list(self, service: str, limit: int | None = None) -> tuple[dict[str, Any], ...]:
        """Give the records, newest first, at most `limit`; empty when there is none."""
        return self._read(service, self._names(service)[:limit])

    def newest(self, service: str) -> dict[str, Any] | None:
        """Give the newest record, None when there is none."""
        return next(iter(self.list(service, 1)), None)

    def ids(self, service: str) -> tuple[str, ...]:
        """Give the ids of all records, newest first."""
        return tuple(map(_id, self._names(service)))

    def walk(self, service: str) -> Iterator[dict[str, Any]]:
        """Give the records one by one, newest first, each read when it is asked for."""
        return (records.read(self._store, self._path(service, name))[0] for name in self._names(service))

    def _names(self, service: str) -> tuple[str, ...]:
        """Give the names under which the records lie, the one written last first."""
        names = self._store.list(records_path(*self._place, service))
        mine = (name for name in names if name[0].isdigit())
        return tuple(sorted(mine, key=lambda name: (_number(name), name), reverse=True))

    def _shorten(self, service: str) -> None:
        names = self._names(service)
        if len(names) <= WHOLE:
            return
        has_good = any(_is_good(one) for one in self._read(service, names[:WHOLE]))
        for name in names[WHOLE:]:
            path = self._path(service, name)
            record, version = records.read(self._store, path)
            summary = {key: value for key, value in record.items() if key in self._summary}
            if summary == record:
                return
            if not has_good and _is_good(record):
                has_good = True
                continue
            records.write(self._store, path, summary, cas=version)

    def _read(self, service: str, names: Sequence[str]) -> tuple[dict[str, Any], ...]:
        """Give these records side by side, in their order; one that is gone meanwhile is left out."""
        paths = [self._path(service, one) for one in names]
        found = self._store.read_all(paths)
        return tuple(records.parsed(found[path]) for path in paths if path in found)

    def _path(self, service: str, name: str) -> str:
        return checked(f"{records_path(*self._place, service)}/{name}")


def _number(name: str) -> int:
    found = _NUMBERED.fullmatch(name)
    return int(found[1]) if found else 0


def _id(name: str) -> str:
    found = _NUMBERED.fullmatch(name)
    return found[2] if found else name


def _is_good(record: Mapping[str, Any]) -> bool:
    return record.get("verdict") == "ok"
