"""Policies, roles and credentials of agents: the runbook of `vault.setup-tokens`.

check ─▶ policy ─▶ role ─▶ new wrapped credential ─▶ deliver ─▶ redeploy ─▶ prove ─▶ end the others ─▶ blank
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from infra import assembly
from infra.model.errors import BadInput, InfraError
from infra.model.verdict import Outcome
from infra.plan.credentials import WRAPPED_FOR
from infra.vault import row, scope, turn
from infra.vault.opened import custody_of
from infra.vault.survey import survey
from infra.workspace import settings_file

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.service import Project
    from infra.vault.row import Row
    from infra.vault.scope import Place
    from infra.vault.turn import Wish


def setup_tokens(
    this: Command, project: Project, env: str | None, target: str, wish: Wish, *, strict: bool
) -> None:
    """Give each agent that lacks one a credential that works and is proven; the summary lists all targets.

    A repeat after any failure or kill goes on from there.
    """
    _require_sane(this, wish, strict=strict)
    rows: list[Row] = []
    try:
        for place in scope.places(this, project, env, target):
            rows += _rows(this, project, place, wish)
    finally:
        _tell(this, rows)


def _require_sane(this: Command, wish: Wish, *, strict: bool) -> None:
    if not 1 <= wish.wrap_ttl <= WRAPPED_FOR:
        raise BadInput(
            f"--wrap-ttl: 1 to {WRAPPED_FOR} s are expected", next_step=f"--wrap-ttl {WRAPPED_FOR}"
        )
    if strict and not settings_file.load(this.root).vault.strict:
        raise BadInput(
            "--strict: the settings keep credentials on disk, so that agents start again after a reboot",
            next_step="write vault: {strict: true} in invoke.yaml",
        )


def _rows(this: Command, project: Project, place: Place, wish: Wish) -> tuple[Row, ...]:
    name = place.environment.name
    if place.fault:
        return (row.bad(name, wish.service or row.ALL, place.fault),)
    own = replace(this, outcome=Outcome(this.outcome.command, name))
    try:
        custody = custody_of(own, project, name, "process")
        found = survey(this.console, custody, wish.service, is_asked_for=wish.is_asked_for)
        found.show(this.console)
        if wish.dry_run or found.is_quiet:
            return found.rows
        session = assembly.open_session(own, project, name, "process", claim=True)
    except InfraError as error:
        return (row.bad(name, wish.service or row.ALL, error),)
    return turn.take(session, replace(custody, places=session.places), wish, found)


def _tell(this: Command, rows: list[Row]) -> None:
    """Print the summary, and give the outcome the worst that happened."""
    if not rows:
        return
    this.console.table([row.COLUMNS, *(one.cells for one in rows)])
    outcome = this.outcome
    outcome.facts["targets"] = [one.as_json() for one in rows]
    outcome.changes = [f"{one.environment} {one.service}: {step}" for one in rows for step in one.steps]
    worst = row.exit_code(rows)
    bad = sorted((one for one in rows if one.error), key=lambda one: one.code != worst)
    for one in bad:
        if one.error:
            this.console.line(f"{one.environment} {one.service}:")
            this.console.error(one.error)
            outcome.fail(one.error, one.result)
    outcome.exit_code = worst
    if not bad:
        results = {one.result for one in rows}
        outcome.outcome = next(
            (one for one in ("done", "changes are pending") if one in results), "nothing to do"
        )
