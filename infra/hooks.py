"""The pre-push hook of the application's checkout: put there and taken away again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra.model.errors import Denied, Refused
from infra.plan.hook import NAME, former_name, hook_text, is_ours
from infra.targets.process import modes, way
from infra.workspace import git, settings_file, templates
from infra.workspace.folders import application_checkout

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.service import Project


@dataclass(frozen=True, slots=True)
class Place:
    """Where git looks for the hook: `hook` is ours to be, `former` is what it was."""

    top: Path
    hook: Path
    former: Path


def install(this: Command, project: Project) -> None:
    """Put the hook where git looks for it and keep the one that is there; a repeat changes nothing."""
    place = _place(this, project)
    standing = _text(place.hook)
    is_own = is_ours(standing, project.name)
    if not is_own and _exists(place.hook) and _exists(place.former):
        raise Refused(
            f"{place.hook} and {place.former} both hold a hook that is not ours",
            next_step=f"mv {place.former} somewhere else, then ./inv hooks.install",
        )
    former = _text(place.former) if is_own or not _exists(place.hook) else standing
    text = hook_text(templates.load(this.root), project.name, _here(this.root, place.top), former)
    if text == standing:
        this.outcome.outcome = "nothing to do"
    else:
        _write(place, text, keep=not is_own and _exists(place.hook))
        this.outcome.changes = [f"write {place.hook}"]
    this.outcome.facts["hook"] = str(place.hook)
    this.console.answer(f"{place.hook}: {this.outcome.outcome if text == standing else 'installed'}")


def uninstall(this: Command, project: Project) -> None:
    """Take our hook away and put the former one back; where ours is not, nothing changes."""
    place = _place(this, project)
    if not is_ours(_text(place.hook), project.name):
        this.outcome.outcome = "nothing to do"
        this.console.answer(f"{place.hook} is not ours: nothing to do")
        return
    with _in_words(place.hook):
        if _exists(place.former):
            place.former.replace(place.hook)
        else:
            place.hook.unlink()
    this.outcome.changes = [f"remove {place.hook}"]
    this.console.answer(f"{place.hook}: as it was before")


def _place(this: Command, project: Project) -> Place:
    source = (this.root / settings_file.load(this.root).app.source).resolve()
    top = application_checkout(this.root, source)
    found = git.require(top, this.variables, "rev-parse", "--git-path", "hooks")
    hook = top / Path(found).expanduser() / NAME
    return Place(top, hook, hook.with_name(f"{NAME}.{former_name(project.name)}"))


def _here(root: Path, top: Path) -> str:
    """Give this checkout so that a linked work tree of the application finds its own copy of it."""
    return os.path.relpath(root, top) if root.is_relative_to(top) else str(root)


def _exists(file: Path) -> bool:
    return file.is_symlink() or file.exists()


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, IsADirectoryError):
        return ""


def _write(place: Place, text: str, *, keep: bool) -> None:
    """Put the text there at once: a push in between finds the former hook or ours.

    Denied where somebody else has put one there, or could: it would run at each push.
    """
    way.require(place.hook.parents[1], place.hook.parent.name, NAME)
    with _in_words(place.hook):
        place.hook.parent.mkdir(parents=True, exist_ok=True)
        if keep:
            os.link(place.hook, place.former, follow_symlinks=False)
        modes.write(place.hook, text, modes.PROGRAM)


@contextmanager
def _in_words(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Denied(f"{file}: {error.strerror}", next_step=f"ls -ld {file.parent}") from error
