"""What is wrong with the credentials and passwords of an environment's agents: the alarms of its status."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from infra.model.age import DOUBT, age
from infra.model.clock import iso
from infra.model.credential import Credential, Login
from infra.plan.credentials import words

ROTATION = timedelta(days=90)
SILENT_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Standing:
    """How one service's agent stands: its live and expired credentials, its last login, its keys by age."""

    service: str
    credentials: tuple[Credential, ...]
    login: Login | None
    changed: tuple[tuple[str, datetime], ...]

    @property
    def current(self) -> Credential | None:
        """The credential that the agent has shown a login with, else the newest one."""
        proven = [one for one in self.credentials if self.login and self.login.proves(one)]
        return max(proven or self.credentials, key=lambda one: one.created, default=None)


def alarms(standing: Standing, now: datetime) -> tuple[str, ...]:
    """Give what has to be mended for one service; empty when nothing has to."""
    return tuple(_alarms(standing, now))


def _alarms(standing: Standing, now: datetime) -> Iterator[str]:
    current = standing.current
    if current is None:
        yield "it has no credential"
    elif current.is_expired(now):
        yield "its credential has expired"
    elif current.is_short(now):
        yield f"its credential ends in {words(current.left(now))}"
    for key, changed in standing.changed:
        if now - changed >= ROTATION:
            yield f"{key} is {words(now - changed)} old: rotation is due"


def hint(standing: Standing, now: datetime) -> str:
    """Give what is worth knowing and no failure: a silent agent may have stopped, a clock may be wrong."""
    login = standing.login
    ahead = [key for key, changed in standing.changed if age(changed, now) is None]
    if ahead:
        return f"{', '.join(ahead)}: {DOUBT}"
    if login is None:
        return "no login is seen"
    silent = age(login.time, now)
    if silent is None:
        return f"its last login is {iso(login.time)}, {DOUBT}"
    if silent > SILENT_FOR.total_seconds():
        return f"silent since {iso(login.time)}: the agent may have stopped"
    return ""
