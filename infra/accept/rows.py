"""The rows of acceptance as a project keeps them: a YAML file for each area."""

from __future__ import annotations

from pathlib import Path

from infra.model.acceptance import Area
from infra.model.errors import BadInput
from infra.model.service import Project
from infra.plan.acceptance import parse_area, require_once


def load(project: Project, root: Path) -> tuple[Area, ...]:
    """Give all areas of a project; BadInput names every fault of the files, and a project without any."""
    files = sorted((root / project.acceptance).glob("*.yaml")) if project.acceptance else []
    if not files:
        raise BadInput(f"{project.name} has no rows of acceptance", next_step="name their folder in Project")
    areas = tuple(
        parse_area(file.read_text(encoding="utf-8"), f"{project.acceptance}/{file.name}") for file in files
    )
    require_once(areas)
    return areas
