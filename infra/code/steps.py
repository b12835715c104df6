"""Runs the steps of the application's parts, one after the other; a bad one does not stop the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from infra.code import coverage, running
from infra.code.checkout import Checkout
from infra.model.code_step import Command as CodeCommand
from infra.model.code_step import Row, Step
from infra.model.errors import CannotTell, KnownBad

WITH_DATABASE = "backend"


def run(place: Checkout, steps: Sequence[Step]) -> list[Row]:
    """Give what became of these steps in each part."""
    return [row for command in place.commands(steps) for row in _rows(place, command)]


def _rows(place: Checkout, command: CodeCommand) -> list[Row]:
    if command.skipped or command.fault:
        words = command.skipped or command.fault
        return [Row(command.part, command.step, "failed" if command.fault else "skipped", words)]
    if command.step == "test" and command.part == WITH_DATABASE:
        return coverage.tested(place, command)
    return [running.run(place, command)]


def tell(place: Checkout, rows: Iterable[Row], again: str) -> None:
    """Print the table; KnownBad when a step failed, else CannotTell when one could not be run."""
    rows = list(rows)
    place.this.outcome.facts["rows"] = [row.as_json() for row in rows]
    place.this.console.table([row.cells() for row in rows])
    failed, unknown = ([_name(row) for row in rows if row.verdict == word] for word in ("failed", "unknown"))
    if failed:
        raise KnownBad(f"{', '.join(failed)}: failed", next_step=again)
    if unknown:
        raise CannotTell(f"{', '.join(unknown)}: could not be checked", next_step=again)


def _name(row: Row) -> str:
    return f"{row.part} {row.step}"
