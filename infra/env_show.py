"""An environment's facts as a command."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from infra.assembly import ports_in_force
from infra.choices import Wishes, chosen_environment, chosen_target, deadline_of, let_through
from infra.plan.sheet import Sources, passed_rows, sheet
from infra.scenes import scene_of
from infra.workspace import settings_file

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.service import Project

CHOSEN, FREE = "chosen for this checkout", "free now; setup chooses"


def show(this: Command, project: Project, wishes: Wishes) -> None:
    """Print every name, host, path and limit of an environment, and where each comes from."""
    found = chosen_environment(this, wishes.env)
    scene, sources = scene_of(this, project, found, wishes), Sources(settings_file.places(this.root))
    settings = settings_file.load(this.root)
    scene = replace(scene, environment=replace(found, health_deadline=deadline_of(found, settings)))
    if chosen_target(found, wishes.target, settings) == "process" and found.kind != "github_ci":
        ports, recorded = ports_in_force(this, project, found)
        words = {name: CHOSEN if name in recorded else FREE for name in ports}
        scene, sources = replace(scene, ports=ports), replace(sources, ports=words)
    rows = sheet(scene, sources)
    if found.kind == "local":
        rows += passed_rows(let_through(this, project), sources)
    this.console.table([("what", "name", "value", "from"), *rows])
    this.outcome.facts["rows"] = [row._asdict() for row in rows]
