"""Where this machine keeps state, data and secrets of a checkout; as root, where another user can enter."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from infra.model.errors import BadInput
from infra.model.work_tree import inside_work_tree
from infra.targets.process import way

FOR_ROOT = Path("/var/lib")
MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of our own is made there, 0700
SPARE = 3


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
    """Give the folders for this user; BadInput names a folder that blocks the database user's way.

    Denied where somebody else could have written there, or could put another folder in the place of ours.
    """
    share = Path(variables.get("XDG_DATA_HOME") or home / ".local/share") / project
    base = _state_base(project, variables, home)
    memory = _memory(project, variables) or base / checkout / "secrets"
    state, data = (way.by_variable(f"XDG_{kind}_HOME", variables) for kind in ("STATE", "DATA"))
    found = Folders(
        state=way.require(base.parent, project, checkout, hints=state),
        data=way.require(share.parent, project, "secrets", checkout, hints=data),
        memory=memory if memory.is_relative_to(base) else way.require(memory.parent, memory.name, checkout),
        neighbours=base,
        proof_key=share / "proof.key",
    )
    way.require_all(_tops(found), state)
    return found


def require_outside_checkouts(where: Folders) -> None:
    """Refuse a state inside of a git work tree: it holds credentials, and rendered secrets without memory."""
    for folder in (where.state, where.memory):
        top = _work_tree(folder)
        if top is not None:
            words = "credentials", str(folder), str(top), str(Path.home().resolve())
            raise inside_work_tree(
                *words, "unset XDG_STATE_HOME   # what runs from there is ended by `down` before"
            )


def _tops(where: Folders) -> Iterator[Path]:
    """Give what lies in our folders, down to where each kind of thing has its own; data may be a server's."""
    for folder in (where.state, where.memory):
        with suppress(OSError):
            for one in os.scandir(folder):
                yield Path(one.path)
                if folder == where.state and one.is_dir(follow_symlinks=False):
                    yield from (Path(below.path) for below in os.scandir(one.path))


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


def _memory(project: str, variables: dict[str, str]) -> Path | None:
    """Give our folder in memory, None where the machine has none.

    It is this user's own; that of root only where servers of other accounts can enter it.
    """
    uid = os.getuid()
    own = Path(variables.get("XDG_RUNTIME_DIR") or f"/run/user/{uid}")
    is_own = _is_memory(own) and own.stat().st_uid == uid
    if is_own and (uid != 0 or not _blocking(own)):
        return own / project
    return _shared_memory(project) if _is_memory(MEMORY) else None


def _shared_memory(project: str) -> Path:
    """Give the first of our names where anybody may make a folder that is ours, else the first free one."""
    owners = _owners(project)
    free = next((name for name, owner in owners.items() if owner is None), next(iter(owners)))
    return next((name for name, owner in owners.items() if owner == os.getuid()), free)


def passed_over(project: str) -> list[tuple[Path, int]]:
    """Give what somebody else has put in the place of our folder in memory, with its owner."""
    found = _owners(project).items()
    return [(name, owner) for name, owner in found if owner not in {None, os.getuid()} if owner is not None]


def _owners(project: str) -> dict[Path, int | None]:
    first = MEMORY / f"{project}-{os.getuid()}"
    names = (first, *(first.with_name(f"{first.name}.{number}") for number in range(1, SPARE + 1)))
    return {name: _owner(name) for name in names}


def _owner(path: Path) -> int | None:
    try:
        return path.lstat().st_uid
    except OSError:
        return None


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
    return _work_tree(folder) or folder.resolve()


def _work_tree(folder: Path) -> Path | None:
    real = folder.resolve()
    return next((path for path in (real, *real.parents) if (path / ".git").exists()), None)


def application_checkout(root: Path, source: Path) -> Path:
    """Give the top of the application's checkout; the reference application is a part of this one."""
    return root if source.is_relative_to(root) else work_tree_top(source)
