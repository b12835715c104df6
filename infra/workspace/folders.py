"""Where this machine keeps state, data and secrets of a checkout; as root, where another user can enter."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from infra.model.errors import BadInput

FOR_ROOT = Path("/var/lib")
MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of our own is made there, 0700


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders of one checkout. `state` holds an environment's state below its name.

    `proof_key` is a file of all checkouts of this user.
    """

    state: Path
    data: Path
    memory: Path
    neighbours: Path
    proof_key: Path


def folders(project: str, checkout: str, variables: dict[str, str], home: Path) -> Folders:
    """Give the folders for this user; BadInput names a folder that blocks the database user's way."""
    share = Path(variables.get("XDG_DATA_HOME") or home / ".local/share") / project
    data = share / "secrets" / checkout
    base = _state_base(project, variables, home)
    state = base / checkout
    memory = _memory(project, checkout, variables) or state / "secrets"
    return Folders(state, data, memory, base, share / "proof.key")


def _state_base(project: str, variables: dict[str, str], home: Path) -> Path:
    named = variables.get("XDG_STATE_HOME")
    if os.getuid() != 0:
        return Path(named or home / ".local/state") / project
    if not named:
        return FOR_ROOT / project
    blocking = _blocking(Path(named))
    if blocking:
        raise BadInput(
            f"XDG_STATE_HOME={named}: the user that runs PostgreSQL cannot enter {blocking}",
            next_step=f"chmod o+x {blocking}, or unset XDG_STATE_HOME",
        )
    return Path(named) / project


def _blocking(folder: Path) -> Path | None:
    """Give the first existing folder on the way that others cannot enter."""
    way = (*reversed(folder.absolute().parents), folder.absolute())
    return next((one for one in way if one.exists() and not one.stat().st_mode & 0o001), None)


def _memory(project: str, checkout: str, variables: dict[str, str]) -> Path | None:
    """Give a folder in memory that is this user's own, None where the machine has none."""
    uid = os.getuid()
    own = Path(variables.get("XDG_RUNTIME_DIR") or f"/run/user/{uid}")
    if _is_memory(own) and own.stat().st_uid == uid:
        return own / project / checkout
    return MEMORY / f"{project}-{uid}" / checkout if _is_memory(MEMORY) else None


def _is_memory(folder: Path) -> bool:
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
        place = folder.resolve(strict=True)
    except OSError:
        return False
    points = {Path(line.split()[1]): line.split()[2] for line in mounts}
    mount = next((path for path in (place, *place.parents) if path in points), None)
    return mount is not None and points[mount] in {"tmpfs", "ramfs"} and os.access(place, os.W_OK)


def work_tree_top(folder: Path) -> Path:
    """Give the top of the git work tree around a folder, else the folder itself; links are resolved."""
    real = folder.resolve()
    return next((path for path in (real, *real.parents) if (path / ".git").exists()), real)


def application_checkout(root: Path, source: Path) -> Path:
    """Give the top of the application's checkout; the reference application is a part of this one."""
    return root if source.is_relative_to(root) else work_tree_top(source)
