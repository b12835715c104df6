"""Who is deploying what, until when. Times are aware and UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from infra.model.clock import iso

LIFETIME = timedelta(minutes=15)
RENEWAL = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Lease:
    """One holder's claim. `pid_started` and `boot` tell this process from a later one of the same number.

    A child task of the same `run_id` inherits it. `ticks` is when it was last written on that machine's
    monotonic clock, in seconds: within one boot it tells the age, whatever the time of day does; 0 where
    nobody noted it. `expires` is for people.
    """

    holder: str
    run_id: str
    host: str
    pid: int
    pid_started: str
    boot: str
    reason: str
    acquired: datetime
    expires: datetime
    ticks: float = 0.0

    def taken(self, now: datetime, ticks: float) -> Lease:
        """Give the same claim as taken at this moment, for 15 minutes."""
        return replace(self.renewed(now, ticks), acquired=now)

    def renewed(self, now: datetime, ticks: float) -> Lease:
        """Give the same lease for 15 minutes from this moment."""
        return replace(self, expires=now + LIFETIME, ticks=ticks)

    def is_over(self, unchanged: float) -> bool:
        """Tell whether its time is over, once it has stood unchanged for so many seconds."""
        return unchanged >= LIFETIME.total_seconds()

    def as_json(self) -> dict[str, Any]:
        """Give the lease as plain values; `lease_from_json` reads it back."""
        times = {"acquired": self.acquired.isoformat(), "expires": self.expires.isoformat()}
        return {**asdict(self), **times}

    def __str__(self) -> str:
        """Give who holds it, where, since when and why, as people read it."""
        return f"{self.holder} on {self.host} (pid {self.pid}) since {iso(self.acquired)}: {self.reason}"


def lease_from_json(value: Mapping[str, Any]) -> Lease:
    """Give the lease that `Lease.as_json` wrote; KeyError, TypeError or ValueError when it is none."""
    times = {key: datetime.fromisoformat(value[key]) for key in ("acquired", "expires")}
    return Lease(**{**value, **times})
