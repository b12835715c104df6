"""The runbook of `cleanup.dev`.

what is left ─▶ shown ─▶ tests run? ─▶ consent (--all) ─▶ entries ─▶ processes ─▶ buckets ─▶ data ─▶ list
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra import consent
from infra.assembly import open_session
from infra.cleanup import lost, vanished, volumes
from infra.cleanup.entries import LEASE_WAIT, Entries
from infra.cleanup.item import Item
from infra.cleanup.standing import Processes
from infra.homes import Home, base_of, homes
from infra.model.errors import CannotTell, InfraError, KnownBad, Refused
from infra.model.observed import Unknown
from infra.session import Request, Session
from infra.stopping import stopping
from infra.targets.process import census
from infra.testing.register import Register, living

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.runner import Runner
    from infra.model.service import Project

LOCAL = "local"
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person asks of the clean-up."""

    everything: bool = False
    force: bool = False
    yes: bool = False
    dry_run: bool = False


def development(this: Command, project: Project, wishes: Wishes) -> None:
    """Remove what nobody owns any more in this checkout's local environment; with `everything` its data too.

    Refused while its tests run, unless forced. KnownBad names what could not be removed; a repeat is safe.
    """
    session = open_session(this, project, LOCAL, "process")
    entries = _entries(this, session, wishes)
    runs = entries.alive()
    found = _found(this, session, entries, wishes)
    _show(this, found)
    going = [one for one in found if one.goes]
    if wishes.dry_run or not going:
        this.console.line(f"{len(going)} would go" if going else "clean")
        if going:
            this.console.line(f"→ ./inv cleanup.dev{' --all' if wishes.everything else ''}")
        return
    if runs and not wishes.force:
        raise Refused(
            f"tests run on these servers: {_words(runs)}; nothing was removed",
            next_step="wait for them (./inv test.status), or ./inv cleanup.dev --force",
        )
    if wishes.everything and not wishes.yes:
        consent.require(
            this.console,
            "yes",
            f"remove these {len(going)} things for good",
            with_yes="./inv cleanup.dev --all --yes",
            otherwise="./inv cleanup.dev --all --dry-run",
        )
    _remove(this, session, found)


def _entries(this: Command, session: Session, wishes: Wishes) -> Entries:
    """Give the entries; CannotTell when it cannot be told which tests run, unless that is forced."""
    register = Register(session.project.name, this.variables)
    seen = register.read()
    if not isinstance(seen, Unknown):
        return Entries(session, register, seen.fact)
    if not (wishes.force or wishes.dry_run):
        raise CannotTell(
            f"nothing was removed: which tests run cannot be read: {seen.cause}", next_step=register.mending
        )
    this.console.line(f"! which tests run cannot be read: {seen.cause}")
    return Entries(session, register, None)


def _found(this: Command, session: Session, entries: Entries, wishes: Wishes) -> list[Item]:
    """Give everything that may go, in the order in which it goes."""
    processes = Processes(session, tuple(f"test run {one.pid}" for one in entries.alive()))
    known = entries.runners.runners if entries.runners else ()
    used = {one.servers for one in living(known)}

    def look(checkout: str) -> Home | None:
        return next((one for one in _homes(this, session) if one.checkout == checkout), None)

    marks = session.target.marks
    others = vanished.items(_homes(this, session), used, look, marks, everything=wishes.everything)
    others += lost.items(_lost(this, session), everything=wishes.everything)
    if not wishes.everything:
        return [*entries.items(), *processes.items(), *others]
    own = [*volumes.buckets(session), *processes.stopped(), *volumes.data(session)]
    return [*entries.items(), *own, *others, *entries.whole_list()]


def _lost(this: Command, session: Session) -> list[census.Lost]:
    """Give what lost its folder, but for what is judged as a part of this environment."""
    marks = session.target.marks
    mine = (marks.checkout, marks.environment)
    found = census.lost(base_of(session.project.name, this.variables, Path.home()), marks)
    return [one for one in found if (one.marks.checkout, one.marks.environment) != mine]


def _homes(this: Command, session: Session) -> list[Home]:
    mine = session.places.checkout
    found = homes(session.project.name, this.variables, Path.home())
    return [one for one in found if one.checkout != mine]


def _show(this: Command, found: list[Item]) -> None:
    """Print what goes and what stays; those whose checkout nobody can tell are one line."""
    unknown = [one for one in found if one.why == vanished.UNKNOWN]
    rows = [("REMOVE" if one.goes else "KEEP", one.kind, _mib(one.size), one.name, one.why) for one in found]
    this.console.table([row for row in rows if row[-1] != vanished.UNKNOWN])
    if unknown:
        size = _mib(sum(one.size for one in unknown))
        this.console.line(f"{len(unknown)} state folders ({size}) stay: {vanished.UNKNOWN}")
    this.outcome.facts["items"] = [
        _Ended(one, "found" if one.goes else "kept", one.why).as_json() for one in found
    ]


def _mib(size: int) -> str:
    return f"{size / MIB:.1f} MiB"


def _words(runs: Iterable[Runner]) -> str:
    return ", ".join(f"{one.namespace} (pid {one.pid})" for one in runs)


def _remove(this: Command, session: Session, found: Iterable[Item]) -> None:
    """Remove what goes, one after the other; one that fails does not keep the others."""
    ended = []
    with stopping(session, Request(session.service_names, lock_wait=LEASE_WAIT)):
        for one in found:
            ended.append(_removed(one) if one.goes else _Ended(one, "kept", one.why))
            if one.goes:
                this.console.line(f"{ended[-1].verdict} {one.name} {ended[-1].words}".rstrip())
        _tell(this, ended)


@dataclass(frozen=True, slots=True)
class _Ended:
    """What became of an item; `words` say why it stayed."""

    item: Item
    verdict: str
    words: str = ""

    def as_json(self) -> dict[str, str | int]:
        """Give it as plain values."""
        item = self.item
        named: dict[str, str | int] = {"kind": item.kind, "name": item.name, "size": item.size}
        return {**named, "verdict": self.verdict, "why": self.words}


def _removed(one: Item) -> _Ended:
    try:
        why = one.remove()
    except InfraError as error:
        return _Ended(one, "failed", error.message)
    return _Ended(one, "kept" if why else "removed", why)


def _tell(this: Command, ended: list[_Ended]) -> None:
    counts = {word: sum(one.verdict == word for one in ended) for word in ("removed", "kept", "failed")}
    this.outcome.facts |= {"items": [one.as_json() for one in ended], **counts}
    this.outcome.changes = [f"remove {one.item.name}" for one in ended if one.verdict == "removed"]
    this.console.line(", ".join(f"{word} {count}" for word, count in counts.items()))
    failed = [one for one in ended if one.verdict == "failed"]
    if failed:
        raise KnownBad(
            f"{len(failed)} things could not be removed",
            next_step="./inv cleanup.dev",
            evidence=tuple(f"{one.item.name}: {one.words}" for one in failed),
        )
