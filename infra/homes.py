"""What this machine keeps of each checkout, and where that checkout is: a private file says so."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from infra.model.errors import InfraError
from infra.model.naming import checkout_id
from infra.store import private_file
from infra.targets.process.modes import walkable
from infra.workspace.folders import folders

NAME = "checkout.json"
PATIENCE = 10.0
Presence = Literal["there", "gone", "unknown"]
_ID = re.compile("[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Home:
    """The folders of one checkout, the state last; `path` is where it is, empty where nothing says so."""

    checkout: str
    path: str
    presence: Presence
    folders: tuple[Path, ...]

    @property
    def state(self) -> Path:
        """The folder with the environments' state."""
        return self.folders[-1]


def remember(state: Path, checkout: Path) -> None:
    """Write down where the checkout of a state folder is; a repeat writes nothing.

    Unreachable when another command has been at it for too long; a retry is safe.
    """
    file = state / NAME
    if file.exists():
        return
    walkable(state)
    noted = {"path": str(checkout), "mount": str(_mount(checkout))}
    with private_file.locked(file, PATIENCE):
        if not file.exists():
            private_file.replace(file, json.dumps(noted) + "\n")


def base_of(project: str, variables: dict[str, str], home: Path) -> Path:
    """Give the folder below which this user keeps the states of all checkouts."""
    return folders(project, "any", variables, home).neighbours


def homes(project: str, variables: dict[str, str], home: Path) -> list[Home]:
    """Give the homes of all checkouts whose state this user keeps here, sorted by id."""
    base = base_of(project, variables, home)
    ids = sorted(one.name for one in base.glob("*") if one.is_dir() and _ID.fullmatch(one.name))
    return [_home(project, one, variables, home) for one in ids]


def _home(project: str, checkout: str, variables: dict[str, str], home: Path) -> Home:
    where = folders(project, checkout, variables, home)
    path, presence = _seen(where.state)
    inside = where.memory.is_relative_to(where.state)
    found = [*([] if inside else [where.memory]), where.data, where.state]
    return Home(checkout, path, presence, tuple(one for one in found if one.exists()))


def _seen(state: Path) -> tuple[str, Presence]:
    """Give the path that is written down, and whether it is there; what cannot be told is unknown."""
    try:
        noted = json.loads(private_file.read(state / NAME) or "{}")
        path, mount = Path(noted["path"]), Path(noted["mount"])
        if checkout_id(path) != state.name:
            return "", "unknown"
        return str(path), _presence(path, mount)
    except (InfraError, ValueError, KeyError, TypeError):
        return "", "unknown"


def _presence(path: Path, mount: Path) -> Presence:
    """Tell whether a checkout is there. A disk that is not mounted, or not readable, hides it: unknown."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return "gone" if mount.is_mount() else "unknown"
    except OSError:
        return "unknown"
    return "there"


def _mount(path: Path) -> Path:
    return next(one for one in (path, *path.parents) if one.is_mount())
