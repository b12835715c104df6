"""Facts read from a target. A read gives Found, Absent or Unknown; Unknown is never treated as absent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Fact = TypeVar("Fact")


@dataclass(frozen=True, slots=True)
class Found(Generic[Fact]):
    """The thing is there, and this is what was seen."""

    fact: Fact


@dataclass(frozen=True, slots=True)
class Absent:
    """The thing was looked for and is not there."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The thing could not be looked at; `cause` says why."""

    cause: str


@dataclass(frozen=True, slots=True)
class Running:
    """A live unit as its process or container shows itself; `started` is seconds since the epoch."""

    unit: str
    identity: str
    started: float
    bundle: str
    deploy: str
    service: str = ""
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class DataFolder:
    """A data folder's marker: for whom it was made; `version` is its format, empty while it is half made."""

    project: str
    environment: str
    service: str
    checkout: str
    version: str


@dataclass(frozen=True, slots=True)
class Observed:
    """What a target shows of one environment at one moment.

    `strangers` are live units of this checkout and environment that nothing declares, or doubles.
    `unhealthy` says why a live unit is not ready; `secret_files` are digests of rendered files;
    `uninstalled` names programs that are not copied yet; `keeper` is the supervisor's version;
    `at` is when it was seen, in seconds since the epoch.
    """

    at: float = 0.0

    units: Mapping[str, Found[Running] | Absent | Unknown] = field(default_factory=dict)
    folders: Mapping[str, Found[DataFolder] | Absent | Unknown] = field(default_factory=dict)
    secret_files: Mapping[str, Found[str] | Absent | Unknown] = field(default_factory=dict)
    releases: frozenset[str] = frozenset()
    uninstalled: frozenset[str] = frozenset()
    unhealthy: Mapping[str, str] = field(default_factory=dict)
    strangers: tuple[Running, ...] = ()
    keeper: Found[str] | Absent | Unknown = field(default_factory=Absent)

    def running(self, unit: str) -> Running | None:
        """Give what runs as this unit, None when nothing was found."""
        seen = self.units.get(unit)
        return seen.fact if isinstance(seen, Found) else None

    def unknowns(self) -> list[str]:
        """Give a line for each read that did not answer."""
        reads = {**self.units, **self.folders, **self.secret_files, "supervisor": self.keeper}
        return [f"{name}: {read.cause}" for name, read in reads.items() if isinstance(read, Unknown)]
