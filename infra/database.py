"""Alembic on the local database of this checkout, behind the guard of the environment's marker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from infra import consent, inside
from infra.dev.seat import Seat, seat
from infra.model.errors import BadInput, InfraError, KnownBad, Refused, Unreachable
from infra.plan.steps_back import steps_back

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.service import Project

BACKEND = "backend"
SCRIPT = "templates/entrypoint/database.py"
REFUSALS: Mapping[str, type[InfraError]] = {
    "env_mismatch": Refused,
    "auth_failed": Refused,
    "db_unreachable": Unreachable,
}


def migrate(this: Command, project: Project) -> None:
    """Take the database to the newest migration of the checkout, and say which ones were run."""
    said = _asked(this, project, "migrate")
    at = said["revision"]
    is_same = said["before"] == at
    this.console.answer(
        f"the database is at {at}" + (", as before" if is_same else f", was at {_name(said['before'])}")
    )
    this.outcome.outcome = "nothing to do" if is_same else "migrated"


def current(this: Command, project: Project) -> None:
    """Say where the database is, and how far the checkout is ahead."""
    said = _asked(this, project, "current")
    this.console.answer(f"the database is at {_name(said['revision'])}: {_standing(said)}")


def history(this: Command, project: Project) -> None:
    """List the migrations of the checkout, the newest first, with the database's own place among them."""
    said = _asked(this, project, "history")
    rows = [
        (
            "→" if one["revision"] == said["revision"] else "",
            one["revision"],
            one["rollback"] or "-",
            one["says"],
        )
        for one in said["migrations"]
    ]
    this.console.table([("", "revision", "way back", "says"), *rows])
    if not said["is_known"]:
        this.console.line(f"! the database is at {said['revision']}, which the checkout does not have")


def downgrade(this: Command, project: Project, to: str, *, dry_run: bool, yes: bool) -> None:
    """Take the database back to a revision, after consent; what the later migrations hold is lost."""
    if not to:
        raise BadInput("where to is not said", next_step="./inv db.downgrade --to REVISION   # or --to base")
    said = _asked(this, project, "history")
    undone = steps_back(said["migrations"], said["revision"], to)
    for one in undone:
        this.console.answer(
            f"undo {one['revision']}: {one['says']} (declared: {one['rollback'] or 'nothing'})"
        )
    if not undone:
        this.outcome.outcome = "nothing to do"
        this.console.line(f"the database is at {_name(said['revision'])} already")
        return
    if dry_run:
        return
    if not yes:
        consent.require(
            this.console,
            to,
            f"undo these {len(undone)} migrations for good",
            with_yes=f"./inv db.downgrade --to {to} --yes",
            otherwise="./inv db.history",
        )
    at = _asked(this, project, "downgrade", to)["revision"]
    this.outcome.changes = [f"undo {one['revision']}" for one in undone]
    this.outcome.outcome = "downgraded"
    this.console.answer(f"the database is at {_name(at)}")


def _asked(this: Command, project: Project, *words: str) -> dict[str, Any]:
    """Give what the script answers; an error says whether the guard, the server or a migration said no."""
    place = seat(this, project, BACKEND, "")
    _require_server(place)
    done = inside.run(place, str(this.root / SCRIPT), *words)
    said = done.json
    this.outcome.facts |= said
    if "error" in said:
        kind = REFUSALS.get(said["reason"], KnownBad)
        way = "mend the migration, then repeat the command"
        raise kind(said["error"], next_step=way if kind is KnownBad else place.session.say("status"))
    return said


def _require_server(place: Seat) -> None:
    if "postgres" not in place.session.target.living():
        raise Unreachable("the database of local does not run", next_step="./inv dev.infra")


def _standing(said: Mapping[str, Any]) -> str:
    ahead = said["ahead"]
    if not said["is_known"]:
        return "the checkout does not have this migration"
    return f"behind by {', '.join(ahead)}   (./inv db.migrate)" if ahead else "nothing is ahead of it"


def _name(revision: str) -> str:
    return revision or "no revision"
