"""The parts of the application as their folders show them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

from infra.model import json_text
from infra.model.errors import BadInput
from infra.model.service import Project
from infra.plan.code_steps import Part

TABLES = ("pyproject.toml", "package.json")


def parts(source: Path, project: Project) -> list[Part]:
    """Give the parts that a project runs from source; BadInput where a part's own settings do not parse."""
    declared = [part for service in project.services if service.from_source for part in service.parts]
    return [_part(source, part.name, part.folder) for part in declared]


def _part(source: Path, name: str, folder: str) -> Part:
    place = source / folder
    if not place.is_dir():
        return Part(name, folder, is_there=False)
    return Part(name, folder, is_there=True, has=frozenset(_has(place)))


def _has(place: Path) -> Iterator[str]:
    yield from (one.name for one in place.iterdir())
    try:
        if (place / "pyproject.toml").is_file():
            found = tomllib.loads((place / "pyproject.toml").read_text(encoding="utf-8"))
            yield from (f"tool.{name}" for name in found.get("tool", {}))
        if (place / "package.json").is_file():
            found = json_text.parse((place / "package.json").read_text(encoding="utf-8"))
            yield from (f"script {name}" for name in found.get("scripts", {}))
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        words = f"{place}: {' or '.join(TABLES)} cannot be read: {error}"
        raise BadInput(words, next_step=f"mend it in {place}") from error
