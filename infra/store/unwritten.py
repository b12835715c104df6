"""Records that the ledger could not take: files that wait for the next command that changes something."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from infra.model.errors import InfraError
from infra.model.record import Record, record_from_json
from infra.store import private_file
from infra.store.guard import in_words

_PREFIX = "unwritten-"


class Unwritten:
    """The records that wait, in the first of these folders that takes one: a full disk leaves memory.

    They are numbered as they come, since no clock decides which one is older.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders

    def keep(self, record: Record) -> bool:
        """Keep a record aside, and tell whether any folder took it."""
        waiting = self._files()
        number = int(waiting[-1].name.removeprefix(_PREFIX)[:4]) + 1 if waiting else 0
        name = f"{_PREFIX}{number:04}{_ending(record)}"
        return any(_kept(folder / name, record) for folder in self._folders)

    def records(self) -> list[Record]:
        """Give the records that wait, the oldest first; a file that cannot be read is left where it is."""
        return [one for file in self._files() for one in _read(file)]

    def forget(self, record: Record) -> None:
        """Remove a record that is written by now; Unwritable or Denied where it cannot, a retry is safe."""
        for file in self._files():
            if file.name.endswith(_ending(record)):
                with in_words(file):
                    file.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        found = (file for folder in self._folders for file in folder.glob(f"{_PREFIX}*.json"))
        return sorted(found, key=lambda file: file.name)


def _kept(file: Path, record: Record) -> bool:
    try:
        private_file.replace(file, json.dumps(record.as_json()))
    except (InfraError, OSError):
        return False
    return True


def _ending(record: Record) -> str:
    return f"-{record.deploy}-{record.service}.json"


def _read(file: Path) -> Iterator[Record]:
    try:
        yield record_from_json(json.loads(private_file.read(file) or ""))
    except (InfraError, ValueError, KeyError, TypeError):
        return
