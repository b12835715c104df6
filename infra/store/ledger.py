"""The ledger: records of what was deployed, one JSON object each, ids sorting by time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from infra.model.errors import CasLost
from infra.store import records
from infra.store.interface import Store
from infra.store.paths import checked, records_path

WHOLE = 10


class Ledger:
    """The records of one environment; ids sort by time and begin with a digit, a good one's `verdict` is ok.

    The last ten are kept whole, older ones keep the fields of `summary`. Where none of the ten is good, the
    newest good one stays whole too: it is what a rollback returns to.
    """

    def __init__(self, store: Store, project: str, env: str, summary: Collection[str]) -> None:
        self._store = store
        self._place = project, env
        self._summary = frozenset(summary)

    def append(self, service: str, record_id: str, record: Mapping[str, Any]) -> None:
        """Write a new record; the same one twice is one, another one of the same id is CasLost."""
        path = self._path(service, record_id)
        try:
            records.write(self._store, path, record, cas=0)
        except CasLost:
            if records.read(self._store, path)[0] != record:
                raise
        self._shorten(service)

    def list(self, service: str, limit: int | None = None) -> tuple[dict[str, Any], ...]:
        """Give the records, newest first, at most `limit`; empty when there is none."""
        return self._read(service, self.ids(service)[:limit])

    def newest(self, service: str) -> dict[str, Any] | None:
        """Give the newest record, None when there is none."""
        return next(iter(self.list(service, 1)), None)

    def by_id(self, service: str, record_id: str) -> dict[str, Any]:
        """Give one record; NotFound when there is none of that id."""
        return records.read(self._store, self._path(service, record_id))[0]

    def ids(self, service: str) -> tuple[str, ...]:
        """Give the ids of all records, newest first."""
        names = self._store.list(records_path(*self._place, service))
        return tuple(sorted((name for name in names if name[0].isdigit()), reverse=True))

    def _shorten(self, service: str) -> None:
        ids = self.ids(service)
        if len(ids) <= WHOLE:
            return
        has_good = any(_is_good(one) for one in self._read(service, ids[:WHOLE]))
        for record_id in ids[WHOLE:]:
            path = self._path(service, record_id)
            record, version = records.read(self._store, path)
            summary = {key: value for key, value in record.items() if key in self._summary}
            if summary == record:
                return
            if not has_good and _is_good(record):
                has_good = True
                continue
            records.write(self._store, path, summary, cas=version)

    def _read(self, service: str, ids: Sequence[str]) -> tuple[dict[str, Any], ...]:
        """Give these records side by side, in their order; one that is gone meanwhile is left out."""
        paths = [self._path(service, one) for one in ids]
        found = self._store.read_all(paths)
        return tuple(records.parsed(found[path]) for path in paths if path in found)

    def _path(self, service: str, record_id: str) -> str:
        return checked(f"{records_path(*self._place, service)}/{record_id}")


def _is_good(record: Mapping[str, Any]) -> bool:
    return record.get("verdict") == "ok"
