"""Data folders with their markers: a folder always says for whom it was made."""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict
from pathlib import Path

from infra.model.observed import Absent, DataFolder, Found, Unknown, Unmarked
from infra.targets.process import modes

MARKER = ".infra.json"
BESIDE = modes.beside(Path(MARKER)).name


def read(folder: Path) -> Found[DataFolder] | Absent | Unmarked | Unknown:
    """Give the folder's marker; Unmarked for something without one, Unknown for what cannot be read."""
    try:
        is_empty = all(one.name == BESIDE for one in folder.iterdir())
    except FileNotFoundError:
        return Absent()
    except OSError as error:
        return Unknown(f"{folder}: {error.strerror}")
    if is_empty:
        return Absent()
    try:
        marker = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        return Found(DataFolder(**{**marker, "version": _version(folder, marker["version"])}))
    except FileNotFoundError:
        return Unmarked()
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Unknown(f"{folder / MARKER}: {error}")


def create(folder: Path, marker: DataFolder) -> None:
    """Make the folder, if need be, and write its marker; what lies there without one is moved aside."""
    if isinstance(read(folder), Unmarked):
        folder.rename(_aside(folder))
    modes.walkable(folder)
    modes.write(folder / MARKER, json.dumps(asdict(marker), indent=2) + "\n")


def _aside(folder: Path) -> Path:
    """Give a free name beside the folder."""
    names = (folder.with_name(f"{folder.name}.found-{number}") for number in itertools.count(1))
    return next(name for name in names if not name.exists())


def _version(folder: Path, declared: str) -> str:
    """Give what the folder really holds: PostgreSQL says so itself, once its cluster is complete."""
    if (folder / "pgdata" / "PG_VERSION").is_file():
        return (folder / "pgdata" / "PG_VERSION").read_text(encoding="ascii").strip()
    return "" if declared.isdigit() else declared
