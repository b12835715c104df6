"""Which databases of test runs nobody owns any more. Names match exactly; in doubt a database stays."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from infra.model.age import age
from infra.model.database_mark import read_mark
from infra.model.errors import BadInput
from infra.model.naming import Names

Word = Literal["drop", "live", "young", "doubt", "connected", "bare", "kept"]
TEMPLATES_KEPT = 3
TEMPLATE_GRACE = 86_400.0
_HEX = "[0-9a-f]{12}"
_WORKER = re.compile(r"_(gw[0-9]+)\Z")


@dataclass(frozen=True, slots=True)
class Row:
    """A database as the server shows it; `made` is when its files were made, `clients` who is in it now."""

    name: str
    comment: str | None
    clients: int
    made: datetime


@dataclass(frozen=True, slots=True)
class Origin:
    """What a name of ours is for; `namespace` is None for the forge's database and for what has none."""

    kind: Literal["test", "template", "making"]
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one database; `age` is seconds, None where a clock is in doubt."""

    database: str
    word: Word
    origin: Origin
    age: float | None

    @property
    def is_drop(self) -> bool:
        """True when it goes."""
        return self.word == "drop"

    def is_held(self, living: Collection[str | None]) -> bool:
        """Tell whether one of these namespaces, those of living runners, owns it."""
        return self.origin.kind == "test" and self.origin.namespace in living


@dataclass(frozen=True, slots=True)
class Rules:
    """What counts: the namespaces of living runners, the seconds of grace, and what a person insists on.

    `now` is by the server's clock, which the databases' own moments are from.
    """

    living: Collection[str | None]
    grace: float
    now: datetime
    everything: bool = False
    force: bool = False


def template_name(names: Names, digest: str) -> str:
    """Give the database that holds the migrated schema of this digest; no namespace has such a name."""
    return f"{names.project}_template_{digest[:12]}"


def making_name(names: Names, token: str) -> str:
    """Give the name that a database has until it is whole."""
    return f"{names.project}_making_{token[:12]}"


def origin_of(names: Names, database: str) -> Origin | None:
    """Give what a database of exactly this name is for; None for a name that our functions do not give."""
    project = re.escape(names.project)
    for kind in ("template", "making"):
        if re.fullmatch(f"{project}_{kind}_{_HEX}", database):
            return Origin("template" if kind == "template" else "making")
    main = names.get_test_db_name(None)
    worker = _WORKER.search(database)
    bare = database[: worker.start()] if worker else database
    namespace = None if bare == main else bare.removeprefix(f"{main}_")
    try:
        is_exact = names.get_worker_db_name(namespace, worker[1] if worker else None) == database
    except BadInput:
        return None
    return Origin("test", namespace) if is_exact else None


def decide(names: Names, rows: Iterable[Row], rules: Rules) -> list[Decision]:
    """Give what becomes of each database of ours; those of other people are not even listed."""
    known = [(row, origin) for row in rows if (origin := origin_of(names, row.name))]
    kept = _templates_kept([row for row, origin in known if origin.kind == "template"], rules)
    return [_decision(row, origin, rules, kept) for row, origin in known]


def _decision(row: Row, origin: Origin, rules: Rules, kept: Collection[str]) -> Decision:
    seconds = _age(row, rules.now)
    if origin.kind == "template":
        word: Word = "kept" if row.name in kept else "drop"
    else:
        word = _word(row, origin, rules, seconds)
    return Decision(row.name, word, origin, seconds)


def _word(row: Row, origin: Origin, rules: Rules, seconds: float | None) -> Word:
    if origin.kind == "test" and origin.namespace in rules.living and not (rules.everything and rules.force):
        return "live"
    if rules.everything:
        return "drop"
    if row.clients:
        return "connected"
    if origin.kind == "test" and origin.namespace is None:
        return "bare"
    if seconds is None:
        return "doubt"
    return "drop" if seconds >= rules.grace else "young"


def _templates_kept(rows: list[Row], rules: Rules) -> set[str]:
    """Give the templates that stay: the newest ones, those in doubt, and any that a run may be copying."""
    newest = sorted(rows, key=lambda row: _age(row, rules.now) or 0.0)[:TEMPLATES_KEPT]
    young = [row for row in rows if (_age(row, rules.now) or 0.0) < TEMPLATE_GRACE]
    copied = [row for row in rows if rules.living and not rules.force]
    return {row.name for row in (copied if rules.everything else [*newest, *young])}


def _age(row: Row, now: datetime) -> float | None:
    mark = read_mark(row.comment)
    return age((mark.made if mark else None) or row.made, now)
