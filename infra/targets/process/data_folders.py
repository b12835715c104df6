"""Data folders with their markers: a folder always says for whom it was made."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from infra.model.observed import Absent, DataFolder, Found, Unknown

MARKER = ".infra.json"


def read(folder: Path) -> Found[DataFolder] | Absent | Unknown:
    """Give the folder's marker; Unknown where there is something that cannot be read or says nothing."""
    try:
        is_empty = next(folder.iterdir(), None) is None
    except FileNotFoundError:
        return Absent()
    except OSError as error:
        return Unknown(f"{folder}: {error.strerror}")
    if is_empty:
        return Absent()
    try:
        marker = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        return Found(DataFolder(**{**marker, "version": _version(folder, marker["version"])}))
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Unknown(f"{folder / MARKER}: {error}")


def create(folder: Path, marker: DataFolder) -> None:
    """Make the folder, if need be, and write its marker."""
    walkable(folder)
    beside = folder / (MARKER + ".new")
    beside.write_text(json.dumps(asdict(marker), indent=2) + "\n", encoding="utf-8")
    beside.replace(folder / MARKER)


def _version(folder: Path, declared: str) -> str:
    """Give what the folder really holds: PostgreSQL says so itself, once its cluster is complete."""
    if (folder / "pgdata" / "PG_VERSION").is_file():
        return (folder / "pgdata" / "PG_VERSION").read_text(encoding="ascii").strip()
    return "" if declared.isdigit() else declared


def walkable(folder: Path) -> None:
    """Make a folder, and what is missing above it, that other users can pass through but not list."""
    for path in (*reversed(folder.parents), folder):
        if not path.exists():
            path.mkdir(exist_ok=True)
            path.chmod(0o711)
