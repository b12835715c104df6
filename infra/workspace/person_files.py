"""Files that a person asks for, such as `--out` and `--report`: where he says, through nobody else's link.

Others may be able to write there. So each folder is opened from the one that holds it: what is swapped
meanwhile is not written through.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from infra.model.errors import Denied
from infra.model.odd_names import quoted, shown
from infra.targets.process import modes, way

_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


def write_below(folder: Path, texts: Mapping[str, str]) -> None:
    """Write each text under its name below a folder, each file at once; what is missing on the way is made.

    Denied names what somebody else has put there: the folder, one below it, a file, or a link on the way.
    """
    top = folder.absolute()
    for name, text in texts.items():
        with _opened(top.parent, (top.name, *Path(name).parts[:-1])) as place:
            _write(place, top / name, text)


def write(file: Path, text: str) -> None:
    """Write one file at once. Denied names a file that is somebody else's, or a link of his on the way."""
    with _opened(file.absolute().parent, ()) as place:
        _write(place, file, text)


@contextmanager
def _opened(base: Path, ours: tuple[str, ...]) -> Iterator[int]:
    """Open a folder below a base, each from the one above it; the base may be anybody's."""
    todo = [*((name, True) for name in reversed(ours)), *((name, False) for name in way.names(base))]
    here, place, links = Path("/"), os.open("/", _FOLDER), 0
    try:
        while todo:
            name, is_ours = todo.pop()
            target = _target(place, here / name)
            if target is None:
                here, place = here / name, _entered(place, name)
                if is_ours:
                    _require_own(os.fstat(place), here)
                continue
            links += 1
            if links > way.MOST_LINKS:
                raise Denied(f"{shown(here / name)}: too many links", next_step=f"ls -ld {quoted(here)}")
            todo += ((one, is_ours) for one in way.names(target))
            if target.startswith("/"):
                os.close(place)
                here, place = Path("/"), os.open("/", _FOLDER)
        yield place
    finally:
        os.close(place)


def _entered(place: int, name: str) -> int:
    """Open a folder, made where there is none, and close the one that holds it."""
    with suppress(FileExistsError):
        os.mkdir(name, modes.PROGRAM, dir_fd=place)
    found = os.open(name, _FOLDER, dir_fd=place)
    os.close(place)
    return found


def _target(place: int, path: Path) -> str | None:
    """Give where a link of ours points to, None for what is none; Denied for anybody else's."""
    status = _status(place, path)
    if status is None or not stat.S_ISLNK(status.st_mode):
        return None
    _require_own(status, path)
    return os.readlink(path.name, dir_fd=place)  # from an open folder


def _status(place: int, path: Path) -> os.stat_result | None:
    try:
        return os.stat(path.name, dir_fd=place, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _require_own(status: os.stat_result, path: Path) -> None:
    if status.st_uid not in {0, os.geteuid()}:
        what = " and is a link" if stat.S_ISLNK(status.st_mode) else ""
        raise Denied(
            f"{shown(path)} belongs to {modes.whose(status.st_uid)}{what}: nothing is written there",
            next_step=f"look at it, then rm -r {quoted(path)}, or name another place",
        )


def _write(place: int, file: Path, text: str) -> None:
    """Write beside and rename: a link of ours is replaced, never followed."""
    status = _status(place, file)
    if status is not None:
        _require_own(status, file)
    new = modes.beside(file).name
    with suppress(FileNotFoundError):
        os.unlink(new, dir_fd=place)
    descriptor = os.open(new, _NEW, modes.TEXT, dir_fd=place)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as out:
        os.fchmod(descriptor, modes.TEXT)
        out.write(text)
    os.rename(new, file.name, src_dir_fd=place, dst_dir_fd=place)
