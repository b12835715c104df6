"""A file of entries: read whole, changed under a lock, replaced whole."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.model.errors import StoreError
from infra.store import private_file
from infra.store.entry import Entry, entry_from_json
from infra.store.guard import require_folder

FORMAT = 1
PATIENCE = 10.0


class Shelf:
    """The entries of one private JSON file; a missing file is an empty shelf, a damaged one an error."""

    def __init__(self, file: Path, forbidden_root: Path) -> None:
        self._file = file
        self._forbidden_root = forbidden_root

    def paths(self) -> tuple[str, ...]:
        """Give all paths that were ever written and not purged."""
        return tuple(sorted(self._read()))

    def entry(self, path: str) -> Entry:
        """Give the entry of a path; one that was never written has version 0."""
        return self._entry(path, self._read())

    @contextmanager
    def changing(self, path: str) -> Iterator[Entry]:
        """Give the entry to change; it is kept at the end, and nothing is kept when the body raises."""
        with self._locked() as entries:
            entry = self._entry(path, entries)
            yield entry
            if entry.current:
                self._write({**entries, path: entry.as_json()})

    def remove(self, path: str) -> None:
        """Remove the entry of a path; one that is not there changes nothing."""
        with self._locked() as entries:
            if entries.pop(path, None) is not None:
                self._write(entries)

    @contextmanager
    def _locked(self) -> Iterator[dict[str, Any]]:
        require_folder(self._file.parent, self._forbidden_root)
        private_file.make_folder(self._file.parent)
        with private_file.locked(self._file, PATIENCE):
            yield self._read()

    def _read(self) -> dict[str, Any]:
        require_folder(self._file.parent, self._forbidden_root)
        text = private_file.read(self._file)
        if text is None:
            return {}
        try:
            whole = json.loads(text)
            number, entries = whole["format"], dict(whole["entries"])
        except (ValueError, KeyError, TypeError):
            # The cause holds the text, and the text holds secrets.
            raise self._damaged("it is not what this store writes") from None
        if number != FORMAT:
            raise self._damaged(f"format {number} is not known here, only {FORMAT}")
        return entries

    def _write(self, entries: dict[str, Any]) -> None:
        private_file.replace(self._file, json.dumps({"format": FORMAT, "entries": entries}), may_pad=True)

    def _entry(self, path: str, entries: dict[str, Any]) -> Entry:
        if path not in entries:
            return Entry(path)
        try:
            return entry_from_json(path, entries[path])
        except (ValueError, KeyError, TypeError, AttributeError):
            raise self._damaged(f"{path} is not what this store writes") from None

    def _damaged(self, words: str) -> StoreError:
        return StoreError(
            f"{self._file} is damaged: {words}",
            next_step=f"python3 -m json.tool {shlex.quote(str(self._file))} /dev/null",
        )
