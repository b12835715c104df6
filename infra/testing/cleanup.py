"""Drops test databases that nobody owns any more. In doubt a database stays."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra import consent
from infra.model.age import in_words
from infra.model.errors import BadInput, CannotTell, InfraError, KnownBad
from infra.model.naming import Names
from infra.model.observed import Unknown
from infra.model.safety import Permit
from infra.plan.orphans import Decision, Rules, decide
from infra.testing.register import Register, living
from infra.testing.server import Server
from infra.testing.servers import servers

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.service import Project

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person asks of the clean-up; `grace` is a number with s, m, h or d."""

    dry_run: bool = False
    everything: bool = False
    grace: str = "10m"
    force: bool = False
    yes: bool = False


def databases(this: Command, project: Project, wishes: Wishes) -> None:
    """Drop the orphans and say of every other test database why it stays; KnownBad when a drop failed.

    CannotTell without a server, and when it cannot be told which runs live: then nothing is dropped.
    """
    grace = seconds(wishes.grace)
    server = servers(this, project, "local_ci").database()
    register = Register(project.name, this.variables)
    rules = Rules(_living(register), grace, server.now(), wishes.everything, wishes.force)
    names = Names(project.name)
    decisions = decide(names, server.rows(f"{project.name}_"), rules)
    _show(this, decisions)
    going = [one for one in decisions if one.is_drop]
    if wishes.dry_run or not going:
        this.console.line(f"{len(going)} would go" if going else "clean")
        return
    if wishes.everything and not wishes.yes:
        consent.require(
            this.console,
            "yes",
            f"drop these {len(going)} databases for good",
            with_yes="./inv cleanup.dbs --all --yes",
            otherwise="./inv cleanup.dbs --dry-run",
        )
    _drop(this, server, register, going, wishes)


def seconds(text: str) -> float:
    """Give a length of time in seconds; BadInput for anything but a number with s, m, h or d."""
    found = re.fullmatch(r"(\d{1,6})([smhd]?)", text.strip())
    if not found:
        raise BadInput(
            f"--grace {text!r}: a length like 10m is expected", next_step="./inv cleanup.dbs --grace 10m"
        )
    return float(found[1]) * UNITS[found[2] or "s"]


def _living(register: Register) -> frozenset[str | None]:
    seen = register.read()
    if isinstance(seen, Unknown):
        raise CannotTell(
            f"nothing was dropped: which runs live cannot be read: {seen.cause}", next_step=register.mending
        )
    return frozenset(one.namespace or None for one in living(seen.fact.runners))


def _show(this: Command, decisions: Iterable[Decision]) -> None:
    rows = [
        ("DROP" if one.is_drop else f"SKIP ({one.word})", one.database, in_words(one.age))
        for one in decisions
    ]
    this.console.table(rows)
    this.outcome.facts["databases"] = [
        {"database": one.database, "decision": one.word, "age_s": _whole(one.age)} for one in decisions
    ]


def _whole(age: float | None) -> int | None:
    return None if age is None else round(age)


def _drop(
    this: Command, server: Server, register: Register, going: Iterable[Decision], wishes: Wishes
) -> None:
    """Drop them one by one; a run that began meanwhile keeps its own."""
    failed = []
    permit = Permit(frozenset(one.database for one in going))
    for one in going:
        try:
            word = _drop_one(server, register, permit, one, wishes)
        except InfraError as error:
            failed.append(f"{one.database}: {error.message}")
        else:
            this.console.line(f"{word} {one.database}")
            this.outcome.changes += [f"drop {one.database}"] if word == "dropped" else []
    if failed:
        raise KnownBad(
            f"{len(failed)} databases could not be dropped",
            next_step="./inv cleanup.dbs",
            evidence=tuple(failed),
        )


def _drop_one(server: Server, register: Register, permit: Permit, one: Decision, wishes: Wishes) -> str:
    with register.locked():
        if one.is_held(_living(register)) and not (wishes.everything and wishes.force):
            return "SKIP (live)"
        return "dropped" if server.drop(permit, one.database, force=wishes.everything) else "SKIP (connected)"
