"""Live processes that bear the marks of an environment, and which of them are ours.

Anybody can set a variable. Ours is what proves itself, what a supervisor of ours started, and what such a
supervisor handed over. What bears our marks and runs as our user without that is told, and is neither taken
for ours nor ended unasked. What runs as another user is a stranger.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import psutil

from infra.model.observed import Running
from infra.targets.process import door
from infra.targets.process.account import EARLIER, uid_of
from infra.targets.process.proof import VARIABLE, Key, proof_of
from infra.targets.process.units_file import read_handed

KEEPER = "infra.targets.process.supervisor"
WATCHER = ".watcher"


@dataclass(frozen=True, slots=True)
class Marks:
    """Whose processes are meant: the checkout's id and the environment's name, and how they prove it.

    `key` is that of their proofs, `run` the folder of their supervisor, `users` the account of each unit that
    has one of its own.
    """

    checkout: str
    environment: str
    key: Key = field(repr=False, compare=False)
    run: str = ""
    users: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), compare=False)

    def proven(self, unit: str = "", user: str = "") -> dict[str, str]:
        """Give what proves a process of ours that starts now as this unit, a supervisor for none."""
        made = proof_of(self.key.make(), uid_of(user), self.checkout, self.environment, unit)
        return {VARIABLE: made}

    def accepts(self, one: Bearer) -> bool:
        """Tell whether a process proves that we started it, as this unit and as the user that it runs as."""
        return self.is_proof(one.variables.get(VARIABLE, ""), one.uid, one.unit.removesuffix(WATCHER))

    def is_proof(self, said: str, uid: int, what: str) -> bool:
        """Tell whether this proves that we started this as this user; also for what is no unit."""
        key = self.key.read()
        wanted = proof_of(key, uid, self.checkout, self.environment, what) if key else ""
        return bool(wanted) and hmac.compare_digest(said.encode(), wanted.encode())

    def could_be_ours(self, one: Bearer) -> bool:
        """Tell whether the process runs as a user that we start this unit as: ourselves, or its account."""
        user = self.users.get(one.unit.removesuffix(WATCHER), "")
        return any(one.uid == _uid(name) for name in ("", *((user, EARLIER) if user else ())))


@dataclass(frozen=True, slots=True, eq=False)
class Bearer:
    """A live process with marks; `unit` is empty for a supervisor."""

    process: psutil.Process
    variables: Mapping[str, str] = field(repr=False)
    uid: int
    parent: int

    @property
    def pid(self) -> int:
        """Its number."""
        return self.process.pid

    @property
    def unit(self) -> str:
        """The unit that it says it is."""
        return self.variables.get("INFRA_UNIT", "")

    @property
    def identity(self) -> str:
        """What tells it from all other processes since the machine started; empty where it ended."""
        try:
            return self.running.identity
        except psutil.Error:
            return ""

    @property
    def running(self) -> Running:
        """What it shows of itself; psutil.Error where it ends meanwhile."""
        started = self.process.create_time()
        since_boot = started - psutil.boot_time()  # no change of the clock moves it
        return Running(
            unit=self.unit,
            identity=f"{self.pid}@{since_boot:.2f}",
            started=started,
            bundle=self.variables.get("INFRA_BUNDLE", ""),
            deploy=self.variables.get("INFRA_DEPLOY", ""),
            service=self.variables.get("INFRA_SERVICE", ""),
        )


@dataclass(frozen=True, slots=True)
class Survey:
    """The processes of an environment: those that are ours, and those that only could be."""

    proven: tuple[Bearer, ...]
    unproven: tuple[Bearer, ...]

    @property
    def by_pid(self) -> dict[int, bool]:
        """Whether each of them proves to be ours, by pid; none but those of units have a port."""
        return {one.pid: one in self.proven for one in (*self.proven, *self.unproven) if one.unit}


def survey(marks: Marks) -> Survey:
    """Give what bears these marks now; what is surely a stranger's is left out."""
    seen = list(bearing(marks))
    proven = [one for one in seen if marks.accepts(one)]
    rest = [one for one in seen if one not in proven]
    kin = _kin(marks, proven, rest) if rest else []
    unproven = (one for one in rest if one not in kin and marks.could_be_ours(one))
    return Survey((*proven, *kin), tuple(unproven))


def is_proven(marks: Marks, pid: int, unit: str) -> bool:
    """Tell whether a live process is one of ours, started as this unit."""
    one = _read(psutil.Process(pid)) if psutil.pid_exists(pid) else None
    if one is None or one.unit != unit or not _bears(marks, one):
        return False
    return marks.accepts(one) or any(known.pid == pid for known in survey(marks).proven)


def bearing(marks: Marks) -> Iterator[Bearer]:
    """Give every live process that bears these marks, whosever it is; a supervisor is told by its words."""
    for one in everybody():
        if _bears(marks, one) and ("INFRA_UNIT" in one.variables or is_keeper(one.process)):
            yield one


def everybody() -> Iterator[Bearer]:
    """Give every live process that bears marks of ours; the environment of others is not readable to all."""
    yield from filter(None, map(_read, psutil.process_iter()))


def is_keeper(process: psutil.Process) -> bool:
    """Tell whether a process is a supervisor, by the words that it was started with."""
    try:
        return KEEPER in process.cmdline()
    except psutil.Error:
        return False


def is_helper(unit: str) -> bool:
    """Tell whether this is an entry point's own watcher, which ends by itself."""
    return unit.endswith(WATCHER)


def mains_of(found: Iterable[Bearer]) -> Iterator[tuple[Bearer, Running]]:
    """Give those whose parent is not of the same unit.

    Children that end while this looks are of no unit: who their parent was can no longer be asked.
    """
    known = list(found)
    units = {one.pid: one.unit for one in known}
    for one in known:
        try:
            is_main = units.get(one.process.ppid()) != one.unit
            running = one.running
        except psutil.Error:
            continue
        if is_main:
            yield one, running


def _uid(user: str) -> int | None:
    """Give the number of a user, None where there is no such account, or not yet."""
    try:
        return uid_of(user)
    except KeyError:
        return None


def _read(process: psutil.Process) -> Bearer | None:
    """Give a live process that bears marks; None for any other one, and where that cannot be read."""
    try:
        variables = process.environ()
        if "INFRA_CHECKOUT" in variables and is_alive(process):
            return Bearer(process, variables, process.uids().real, process.ppid())
    except (psutil.Error, OSError):
        pass
    return None


def is_alive(process: psutil.Process) -> bool:
    """Tell whether a process lives; one that nobody has reaped yet lives no more."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _bears(marks: Marks, one: Bearer) -> bool:
    said = one.variables.get("INFRA_CHECKOUT"), one.variables.get("INFRA_ENV")
    return said == (marks.checkout, marks.environment)


def _kin(marks: Marks, proven: Iterable[Bearer], rest: Iterable[Bearer]) -> list[Bearer]:
    """Give those that have no proof of their own and are ours all the same, each after who proves it.

    They are the supervisor that answers in our own folder, what a supervisor of ours started or handed over,
    and the children of any of these.
    """
    answers, handed = (door.listener(Path(marks.run)), read_handed(Path(marks.run))) if marks.run else (0, ())
    units = {one.pid: one.unit for one in proven}
    found: list[Bearer] = []
    left = list(rest)
    while True:
        fresh = [
            one
            for one in left
            if (one.pid == answers and not one.unit)
            or units.get(one.parent) in {"", one.unit}
            or one.identity in handed
        ]
        if not fresh:
            return found
        found += fresh
        units |= {one.pid: one.unit for one in fresh}
        left = [one for one in left if one not in fresh]
