"""Facts read from a target. A read gives Found, Absent or Unknown; Unknown is never treated as absent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

Fact = TypeVar("Fact")
UNPROVEN = "with our marks and no proof"


@dataclass(frozen=True, slots=True)
class Found(Generic[Fact]):
    """The thing is there, and this is what was seen."""

    fact: Fact


@dataclass(frozen=True, slots=True)
class Absent:
    """The thing was looked for and is not there."""


@dataclass(frozen=True, slots=True)
class Unmarked:
    """Something lies there, and nothing says for whom it was made."""


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

    @property
    def pid(self) -> str:
        """The number of its process."""
        return self.identity.partition("@")[0]

    def __str__(self) -> str:
        """Give it as people read it."""
        return f"{self.unit or 'supervisor'} (pid {self.pid})"


@dataclass(frozen=True, slots=True)
class Sent:
    """What a platform keeps of a service: the compose text and the env as they were sent last."""

    text: str
    env: str


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
    `unproven` are those that only could be ours: they have our marks and our user, and no proof.
    `unkept` names live ones that no supervisor knows, nor would adopt.
    `unhealthy` says why a live unit is not ready; `secret_files` are digests of rendered files;
    `uninstalled` names programs that are not copied yet, `unmade` accounts that the machine does not have;
    `owners` are the accounts that data folders belong to, by service, empty for ourselves; `keeper` is the
    supervisor's version; `at` is when it was seen, in seconds since the epoch. `sent` is what the platform
    keeps by service, and `credentials` the accessor of each service's proven credential; a target
    without them leaves them out.
    """

    at: float = 0.0
    units: Mapping[str, Found[Running] | Absent | Unknown] = field(default_factory=dict)
    folders: Mapping[str, Found[DataFolder] | Absent | Unmarked | Unknown] = field(default_factory=dict)
    secret_files: Mapping[str, Found[str] | Absent | Unknown] = field(default_factory=dict)
    releases: frozenset[str] = frozenset()
    uninstalled: frozenset[str] = frozenset()
    unmade: frozenset[str] = frozenset()
    owners: Mapping[str, str] = field(default_factory=dict)
    unhealthy: Mapping[str, str] = field(default_factory=dict)
    strangers: tuple[Running, ...] = ()
    unproven: tuple[Running, ...] = ()
    unkept: frozenset[str] = frozenset()
    keeper: Found[str] | Absent | Unknown = field(default_factory=Absent)
    sent: Mapping[str, Found[Sent] | Absent | Unknown] = field(default_factory=dict)
    credentials: Mapping[str, Found[str] | Absent | Unknown] = field(default_factory=dict)

    def running(self, unit: str) -> Running | None:
        """Give what runs as this unit, None when nothing was found."""
        seen = self.units.get(unit)
        return seen.fact if isinstance(seen, Found) else None

    def live(self) -> list[Running]:
        """Give everything that was seen running."""
        return [*(seen.fact for seen in self.units.values() if isinstance(seen, Found)), *self.strangers]

    def unknowns(self) -> list[str]:
        """Give a line for each read that did not answer."""
        return [f"{name}: {read.cause}" for name, read in self.reads() if isinstance(read, Unknown)]

    def reads(self) -> Iterator[tuple[str, Found[Any] | Absent | Unmarked | Unknown]]:
        """Give every read with the name of what was read."""
        kinds: dict[str, Mapping[str, Found[Any] | Absent | Unmarked | Unknown]] = {
            "unit": self.units,
            "data folder": self.folders,
            "secrets file": self.secret_files,
            "compose record": self.sent,
            "credential": self.credentials,
        }
        for kind, reads in kinds.items():
            for name, read in reads.items():
                yield f"{kind} {name}", read
        yield "supervisor", self.keeper
