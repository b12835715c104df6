"""Whether the application has what it needs to start: its own module says so, in its own environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from infra import inside
from infra.dev.seat import Seat, seat
from infra.model.errors import BadInput, CannotTell, KnownBad

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.service import Project

MODES = ("dry-run", "critical", "full")
MODULE = "src.boot"
BACKEND = "backend"
INTERRUPTED = {130, -2}
COLUMNS = ("status", "name", "message", "ms")


def check(this: Command, project: Project, mode: str, target: str) -> None:
    """Print a row for each thing that was looked at; KnownBad for an error, CannotTell for bad settings."""
    if mode not in MODES:
        raise BadInput(
            f"--mode {mode!r}: {', '.join(MODES)} are known", next_step="./inv boot.check --mode full"
        )
    place = seat(this, project, BACKEND, target)
    if not (place.folder / "src/boot.py").is_file():
        raise BadInput(
            f"{place.folder} has no src/boot.py, which would know what the application needs",
            next_step=f"write it: python -m {MODULE} --mode dry-run|critical|full --json",
        )
    done = inside.run(place, "-m", MODULE, "--mode", mode, "--json")
    if done.code in INTERRUPTED:
        raise KeyboardInterrupt
    if done.code not in {0, 1, 2}:
        raise CannotTell(
            f"the application's check ended with code {done.code}", next_step=f"./inv dev.{BACKEND}"
        )
    rows = done.json.get("rows", [])
    this.outcome.facts |= {"mode": mode, "rows": rows}
    _show(this, rows)
    bad = [f"{row['name']}: {row.get('message', '')}" for row in rows if row["status"] == "error"]
    if done.code == 1:
        words = f"the application lacks what it needs to start ({mode})"
        raise KnownBad(words, evidence=tuple(bad), next_step=_way_on(place, rows))
    if done.code:
        words = "the application's settings cannot be loaded"
        raise CannotTell(words, evidence=tuple(bad), next_step="./inv env.check-keys")


def _show(this: Command, rows: list[dict[str, Any]]) -> None:
    this.console.table([_cells(row) for row in rows])
    for row in rows:
        if row.get("next"):
            this.console.line(f"    {row['name']}: {row['next']}")


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    ms = f"{row['ms']:.0f} ms" if row.get("ms") else ""
    return (row["status"], row["name"], str(row.get("message", "")), ms)


def _way_on(place: Seat, rows: list[dict[str, Any]]) -> str:
    """Give what to type: what a bad row says itself, else a look at the services."""
    said = (row["next"] for row in rows if row["status"] == "error" and row.get("next"))
    return next(said, place.session.say("status"))
