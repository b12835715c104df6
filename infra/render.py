"""Rendering as a command: the texts of an environment, to a folder or to the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from infra.choices import Wishes, chosen_environment, chosen_target, require_service
from infra.model.errors import BadInput, Denied, InfraError
from infra.paper import Paper, papers
from infra.workspace import person_files, settings_file

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.service import Project


def render(this: Command, project: Project, service: str, wishes: Wishes, out: str) -> None:
    """Write what the services would be sent below `out`, or print it; BadInput before anything is written."""
    found = chosen_environment(this, wishes.env)
    settings = settings_file.load(this.root)
    target = wishes.target or ("docker" if found.default_target == "process" else "")
    if chosen_target(found, target, settings) == "process":
        raise BadInput(
            "processes are sent no texts: containers are",
            next_step=f"./inv {project.name}.render --env {found.name} --target docker",
        )
    require_service(project, service, found, chosen_target(found, target, settings))
    sheets = papers(this, project, (found.name,), (service,) if service else (), wishes)
    texts = {f"{found.name}/{one.service}/{name}": text for one in sheets for name, text in one.files.items()}
    if out:
        _write(Path(this.variables.get("INV_CWD", ".")) / out, texts)
    for name, text in texts.items():
        this.console.text(str(Path(out) / name) if out else f"# ---- {name}\n{text}".rstrip("\n"))
    this.outcome.facts |= {
        "files": sorted(texts),
        "unread": {one.service: list(one.bundle.unread) for one in sheets if one.bundle.unread},
    }
    _tell_unread(this, sheets)


def _tell_unread(this: Command, sheets: list[Paper]) -> None:
    for one in sheets:
        for what in one.bundle.unread:
            this.console.line(f"    {one.service}: not known here: {what}")


def _write(folder: Path, texts: dict[str, str]) -> None:
    """Write each text beside its place and rename it: a kill half-way leaves whole files only."""
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"--out {folder}: a folder is expected", next_step="name a folder: --out build/")
    try:
        person_files.write_below(folder, texts)
    except OSError as error:
        if isinstance(error, InfraError):
            raise
        raise Denied(f"{error.filename}: {error.strerror}", next_step="name another folder: --out") from error
