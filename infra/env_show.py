"""An environment's facts as a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.choices import Wishes, chosen_environment, let_through
from infra.plan.sheet import Sources, passed_rows, sheet
from infra.scenes import scene_of
from infra.workspace import settings_file

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.service import Project


def show(this: Command, project: Project, wishes: Wishes) -> None:
    """Print every name, host, path and limit of an environment, and where each comes from."""
    found = chosen_environment(this, wishes.env)
    sources = Sources(settings_file.places(this.root))
    rows = sheet(scene_of(this, project, found, wishes), sources)
    if found.kind == "local":
        rows += passed_rows(let_through(this, project), sources)
    this.console.table([("what", "name", "value", "from"), *rows])
    this.outcome.facts["rows"] = [row._asdict() for row in rows]
