"""Runs the checks of the chosen rows and tells what each of them saw."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.accept import nodes
from infra.accept.checks import CHECKS
from infra.accept.ground import Disproved, Ground, NotHere
from infra.accept.rehearsal import Rehearsal
from infra.accept.rows import load
from infra.accept.throwaway import Throwaway
from infra.model.acceptance import Area, Evidence, Finding, Row, Step
from infra.model.environments import choose as choose_environment
from infra.model.environments import environment
from infra.model.errors import BadInput, CannotTell, KnownBad
from infra.plan.acceptance import choose, counts, judge, proven_by
from infra.workspace import settings_file

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.service import Project

SHOWN = 44


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person asks of acceptance; nothing chosen means every row."""

    ids: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    app_dir: str = ""


def accept(this: Command, project: Project, env: str | None, wishes: Wishes) -> None:
    """Check the chosen rows on state of their own and print them; KnownBad when one of them fails."""
    chosen = choose(load(project, this.root), wishes.ids, wishes.areas)
    ground = _ground(this, project, env, wishes)
    try:
        outcomes = _run_tests(this, ground, chosen)
        findings = _run_checks(this, ground, chosen, outcomes)
    finally:
        try:
            ground.rehearsal.close()
        finally:
            ground.trial.close()
    _report(this, chosen, findings)


def _ground(this: Command, project: Project, env: str | None, wishes: Wishes) -> Ground:
    name = environment(choose_environment(env, None, "local")).name
    this.outcome.env = name
    settings = settings_file.load(this.root)
    application = (Path(this.variables.get("INV_CWD", ".")) / wishes.app_dir) if wishes.app_dir else None
    if application and not application.is_dir():
        raise BadInput(f"--app-dir {wishes.app_dir}: no such folder")
    trial = Throwaway(this.root, project, name, settings, this.variables.get("PATH", ""))
    cache = Path(this.variables.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    beside_vault = Rehearsal(trial, cache)
    branch, own = settings.default_branch, this.variables
    return Ground(this.root, project, trial, branch, cache, application, beside_vault, own)


def _run_tests(this: Command, ground: Ground, areas: Iterable[Area]) -> dict[str, dict[str, Any]]:
    wanted = {node for area in areas for row in area.rows for node in row.tests}
    if not wanted:
        return {}
    with this.console.stage("tests") as stage:
        outcomes = nodes.run(ground, wanted, stage.wait)
        bad = sum(one["outcome"] != "passed" for one in outcomes.values())
        stage.say(f"{len(outcomes)} tests, {bad} of them not passed")
        stage.is_good = not bad
    return outcomes


def _run_checks(
    this: Command, ground: Ground, areas: Iterable[Area], outcomes: Mapping[str, Mapping[str, Any]]
) -> list[Finding]:
    known: dict[str, Evidence] = {}
    findings = []
    with this.console.stage("checks") as stage:
        for row in (row for area in areas for row in area.rows):
            stage.wait(f"{row.id} {row.promise}")
            findings.append(_find(ground, row, outcomes, known))
        stage.say(f"{len(known)} made")
    return findings


def _find(
    ground: Ground, row: Row, outcomes: Mapping[str, Mapping[str, Any]], known: dict[str, Evidence]
) -> Finding:
    seen = [proven_by(outcomes, row.tests)] if row.tests else []
    for step in row.run:
        key = json.dumps(step.model_dump(), sort_keys=True)
        known[key] = known.get(key) or _evidence(ground, step)
        seen.append(known[key])
    return judge(row, seen)


def _evidence(ground: Ground, step: Step) -> Evidence:
    """Give what one check saw; an error that nobody foresaw is never good and never unknown."""
    try:
        return CHECKS[step.check](ground, **step.given)
    except Disproved as error:
        return Evidence("fail", f"{step.check}: {error}")
    except KnownBad as error:
        return Evidence("fail", f"{step.check}: {error.message}")
    except (NotHere, CannotTell) as error:
        return Evidence("unknown", f"{step.check}: {error}")
    except Exception as error:  # noqa: BLE001  # a check that breaks has not proven anything
        return Evidence("fail", f"{step.check} broke: {type(error).__name__}: {error}")


def _report(this: Command, areas: Iterable[Area], findings: list[Finding]) -> None:
    by_id = {one.row.id: one for one in findings}
    for area in areas:
        this.console.answer("")
        this.console.answer(f"{area.area}  {area.title}")
        this.console.table([_cells(by_id[row.id]) for row in area.rows])
    number = counts(findings)
    this.console.answer("")
    this.console.answer(", ".join(f"{count} {state}" for state, count in number.items()))
    this.outcome.facts["rows"] = [one.as_json() for one in findings]
    this.outcome.facts["counts"] = number
    failed = [one.row.id for one in findings if one.state == "fail"]
    if failed:
        raise KnownBad(
            f"{len(failed)} of {len(findings)} rows fail: {', '.join(failed)}",
            next_step=f"./inv accept --id {failed[0]}",
            evidence=tuple(f"{one.row.id}: {one.evidence}" for one in findings if one.state == "fail"),
        )


def _cells(one: Finding) -> tuple[str, ...]:
    promise = one.row.promise if len(one.row.promise) <= SHOWN else f"{one.row.promise[: SHOWN - 1]}…"
    return f"  {one.row.id}", one.state, promise, one.evidence
