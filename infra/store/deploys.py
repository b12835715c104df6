"""The ledger as records."""

from __future__ import annotations

from dataclasses import replace

from infra.model.record import Record, record_from_json
from infra.store import owner
from infra.store.ledger import Ledger


class Records:
    """The records of one environment, by service. StoreError and its kin come from the store."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def append(self, record: Record) -> None:
        """Keep a record, with the boot of this machine; the last ten of a service stay whole."""
        self._ledger.append(record.service, record.deploy, replace(record, boot=owner.boot()).as_json())

    def all(self, service: str) -> list[Record]:
        """Give the records of a service, the newest first."""
        return [record_from_json(dict(one)) for one in self._ledger.list(service)]

    def newest(self, service: str) -> Record | None:
        """Give the newest record of a service, None when there is none."""
        found = self._ledger.newest(service)
        return record_from_json(found) if found else None

    def ids(self, service: str) -> tuple[str, ...]:
        """Give the ids of all deploys of a service, the newest first."""
        return self._ledger.ids(service)

    def last_good(self, service: str, other_than: str = "") -> Record | None:
        """Give the newest record with verdict ok that still holds its bundle and is another deploy."""
        for record in map(record_from_json, self._ledger.walk(service)):
            if record.verdict == "ok" and record.bundle and record.deploy != other_than:
                return record
        return None
