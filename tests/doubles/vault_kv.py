"""The KV engine of the Vault double: paths with versions, and the five ways of saying 404."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

KEPT = 10
NOTHING: dict[str, Any] = {"errors": []}
LISTING_THE_DATA = (
    "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to"
    " use. If using the Vault CLI, use 'vault kv list' for this operation."
)
Said = tuple[int, dict[str, Any] | None]


@dataclass
class Kept:
    """One version; times are as the wire has them, empty when it was not deleted."""

    values: dict[str, Any] | None
    created: str
    deleted: str = ""
    is_destroyed: bool = False

    @property
    def is_readable(self) -> bool:
        return not self.is_destroyed and not (self.deleted and self.deleted <= moment())

    def known(self) -> dict[str, Any]:
        return {"created_time": self.created, "deletion_time": self.deleted, "destroyed": self.is_destroyed}


@dataclass
class Entry:
    """A path: its versions, and the number of the newest."""

    current: int = 0
    versions: dict[int, Kept] = field(default_factory=dict)


class Engine:
    """KV version 2 as the real one answers; the lock is the caller's."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}

    def answer(self, method: str, part: str, path: str, version: int, body: dict[str, Any]) -> Said:
        """Give status and body of one request below the mount."""
        if method == "LIST":
            return self.listed(part, path)
        acts = {
            ("GET", "data"): lambda: self.read(path, version),
            ("POST", "data"): lambda: self.write(path, body),
            ("GET", "metadata"): lambda: self.metadata(path),
            ("DELETE", "metadata"): lambda: self.purge(path),
            ("POST", "delete"): lambda: self.mark("delete", path, body),
            ("POST", "undelete"): lambda: self.mark("undelete", path, body),
            ("POST", "destroy"): lambda: self.mark("destroy", path, body),
        }
        act = acts.get((method, part))
        return act() if act else (405, {"errors": ["1 error occurred:\n\t* unsupported operation\n\n"]})

    def read(self, path: str, version: int) -> Said:
        entry = self.entries.get(path, Entry())
        number = version or entry.current
        kept = entry.versions.get(number)
        if kept is None:
            return 404, NOTHING
        told = {"metadata": {**kept.known(), "custom_metadata": None, "version": number}}
        if not kept.is_readable:
            return 404, envelope({"data": None, **told}, mount="")
        return 200, envelope({"data": kept.values, **told})

    def write(self, path: str, body: dict[str, Any]) -> Said:
        if "data" not in body:
            return 400, {"errors": ["no data provided"]}
        entry = self.entries.get(path, Entry())
        if body.get("options", {}).get("cas", entry.current) != entry.current:
            return 400, {"errors": ["check-and-set parameter did not match the current version"]}
        entry.current += 1
        kept = entry.versions[entry.current] = Kept(dict(body["data"]), moment())
        entry.versions.pop(entry.current - KEPT, None)
        self.entries[path] = entry
        return 200, envelope({**kept.known(), "custom_metadata": None, "version": entry.current})

    def metadata(self, path: str) -> Said:
        entry = self.entries.get(path)
        if entry is None:
            return 404, NOTHING
        versions = {str(number): kept.known() for number, kept in entry.versions.items()}
        return 200, envelope({"current_version": entry.current, "max_versions": 0, "versions": versions})

    def purge(self, path: str) -> Said:
        self.entries.pop(path, None)
        return 204, None

    def mark(self, act: str, path: str, body: dict[str, Any]) -> Said:
        if not body.get("versions"):
            return 400, {"errors": ["No version number provided"]}
        held = self.entries.get(path, Entry()).versions
        for kept in (held[number] for number in body["versions"] if number in held):
            if act == "destroy":
                kept.values, kept.is_destroyed = None, True
            elif not kept.is_destroyed:
                kept.deleted = (kept.deleted or moment()) if act == "delete" else ""
        return 204, None

    def listed(self, part: str, path: str) -> Said:
        if part == "data":
            return 404, {**envelope(None, mount=""), "warnings": [LISTING_THE_DATA]}
        folder = f"{path}/" if path else ""
        below = [one.removeprefix(folder).partition("/") for one in self.entries if one.startswith(folder)]
        names = sorted({name + slash for name, slash, _ in below})
        return (200, envelope({"keys": names})) if names else (404, NOTHING)


_NUMBERS = itertools.count(1)


def envelope(said: dict[str, Any] | None, mount: str = "kv") -> dict[str, Any]:
    """Give what is said as every answer of Vault wraps it."""
    return {
        "request_id": f"r-{next(_NUMBERS)}",
        "lease_id": "",
        "renewable": False,
        "lease_duration": 0,
        "data": said,
        "wrap_info": None,
        "warnings": None,
        "auth": None,
        "mount_type": mount,
    }


def moment() -> str:
    """Give this moment as the wire has it: with nanoseconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "123Z"
