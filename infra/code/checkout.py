"""The application's checkout, as the one button sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from infra.choices import let_through
from infra.code.parts import parts
from infra.model.code_step import Command as CodeCommand
from infra.model.code_step import Step
from infra.model.passed import Passed
from infra.model.settings import Settings, Steps
from infra.plan.code_steps import commands
from infra.workspace import settings_file

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.service import Project


@dataclass(frozen=True, slots=True)
class Checkout:
    """The application's checkout while it is checked; `report` is the file for coverage's report, if any."""

    this: Command
    project: Project
    settings: Settings
    source: Path
    report: str = ""
    passed: Passed = field(default_factory=Passed)

    def commands(self, steps: Sequence[Step]) -> list[CodeCommand]:
        """Give the commands of these steps, part by part."""
        written = self.settings.code
        found = parts(self.source, self.project)
        return [one for part in found for one in commands(part, getattr(written, part.name, Steps()), steps)]


def checkout(this: Command, project: Project, report: str = "") -> Checkout:
    """Give the checkout that the settings name."""
    settings = settings_file.load(this.root)
    source, passed = (this.root / settings.app.source).resolve(), let_through(this, project)
    for line in passed.words:
        this.console.line(line)
    return Checkout(this, project, settings, source, report, passed)
