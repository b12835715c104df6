"""The units that a supervisor keeps, written down for the next one: it adopts those that still run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from infra.model.unit import Unit, unit_from_json
from infra.targets.process import modes

NAME, HANDED = "units.json", "handed.json"


def read_units(folder: Path) -> list[Unit]:
    """Give the units of a run folder; none where the file is missing or says nothing."""
    try:
        return [unit_from_json(unit) for unit in json.loads((folder / NAME).read_text(encoding="utf-8"))]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def write_units(folder: Path, units: Iterable[Unit]) -> None:
    """Write them down; a reader sees the old list or the new one."""
    modes.write(folder / NAME, json.dumps([unit.as_json() for unit in units]), modes.PRIVATE)


def read_handed(folder: Path) -> frozenset[str]:
    """Give the identities of the processes that an earlier supervisor handed over; none where none did."""
    try:
        return frozenset(map(str, json.loads((folder / HANDED).read_text(encoding="utf-8"))))
    except (OSError, ValueError, TypeError):
        return frozenset()


def write_handed(folder: Path, identities: Iterable[str]) -> None:
    """Write them down: they were ours as children of a supervisor, and have no proof of their own."""
    modes.write(folder / HANDED, json.dumps(sorted(identities)), modes.PRIVATE)
