"""The reference pages as a command: made from the code, or compared with what lies there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.model.environments import environment
from infra.model.errors import KnownBad
from infra.plan.reference import pages
from infra.targets.process import modes

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.service import Project

FOLDER = "docs/reference"
SHOWN = ("local", "local_ci", "github_ci", "pr_47", "canary", "staging", "production")


def make(this: Command, project: Project, *, check: bool) -> None:
    """Write the pages; with `check` only compare them: KnownBad names those that differ."""
    made = pages(project, [environment(name) for name in SHOWN])
    folder = this.root / FOLDER
    stale = [name for name, text in made.items() if _text(this, name) != text]
    this.outcome.facts |= {"pages": sorted(made), "stale": stale}
    if check and stale:
        places = ", ".join(f"{FOLDER}/{name}" for name in stale)
        raise KnownBad(f"not what the code says: {places}", next_step="./inv docs.reference")
    if not check:
        folder.mkdir(parents=True, exist_ok=True)
        for name in stale:
            modes.write(folder / name, made[name])
            this.outcome.changes.append(f"{FOLDER}/{name}")
    this.console.line(f"{len(made)} pages, {len(stale)} {'stale' if check else 'written'}")


def _text(this: Command, name: str) -> str:
    file = this.root / FOLDER / name
    return file.read_text(encoding="utf-8") if file.exists() else ""
