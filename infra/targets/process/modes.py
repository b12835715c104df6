"""Modes of what we keep: each file and folder gets its own from here, whatever the caller's umask is.

Much of it runs next. So nobody else may have been able to write it, or it is not used.
"""

from __future__ import annotations

import os
import shlex
import shutil
import stat
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

from infra.model.errors import Denied
from infra.model.odd_names import shown
from infra.targets.process import sharing

UMASK = 0o022
PASSABLE = 0o711  # others pass through it, and list nothing
CLOSED = 0o700
TEXT, PROGRAM, PRIVATE = 0o644, 0o755, 0o600
SHOWN = 5
SUDO = "" if os.geteuid() == 0 else "sudo "


def walkable(folder: Path) -> None:
    """Make a folder, and what is missing above it, that other users can pass through but not list."""
    for path in (*reversed(folder.parents), folder):
        if not path.exists() and _made(path):
            path.chmod(PASSABLE)


def _made(folder: Path) -> bool:
    """Make a folder; false where a command of ours was faster, Denied where somebody else was."""
    try:
        folder.mkdir(mode=CLOSED)
    except FileExistsError:
        if folder.lstat().st_uid not in {0, os.geteuid()}:
            words = f"{shown(folder)} belongs to {whose(folder.lstat().st_uid)}"
            raise Denied(words, next_step=f"ls -ld {folder}") from None
        return False
    return True


def private_folder(folder: Path) -> None:
    """Make a folder, and what is missing above it, of mode 0700.

    Denied when somebody else owns a folder on the way, or when the last one is a link.
    """
    for path in (*reversed(folder.parents), folder):
        path.mkdir(exist_ok=True, mode=CLOSED)
        if path.lstat().st_uid not in {*sharing.who_is_root(), os.getuid()}:
            raise Denied(f"{path} belongs to somebody else", next_step=f"ls -ld {path}")
    if folder.is_symlink() or folder.lstat().st_uid != os.getuid():
        raise Denied(f"{folder} belongs to somebody else or is a link", next_step=f"ls -ld {folder}")
    folder.chmod(CLOSED)


def let_pass(folder: Path) -> None:
    """Let others pass through a folder of ours."""
    status = folder.stat()
    if status.st_uid == os.getuid() and status.st_mode & PASSABLE != PASSABLE:
        folder.chmod(status.st_mode | PASSABLE)


def given_folder(folder: Path, owner: tuple[int, int]) -> None:
    """Make a folder of mode 0700 for another account in one of ours; OSError where a link stands there."""
    folder.mkdir(exist_ok=True, mode=CLOSED)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        os.fchown(descriptor, *owner)
        os.fchmod(descriptor, CLOSED)
    finally:
        os.close(descriptor)


def write(file: Path, text: str, mode: int = TEXT, owner: tuple[int, int] | None = None) -> None:
    """Write a whole file beside the old one and rename it: a reader sees the old one or the new one.

    `owner` is the uid and gid of another account that it is for.
    """
    new = beside(file)
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as out:
        os.fchmod(descriptor, mode)
        if owner:
            os.fchown(descriptor, *owner)
        out.write(text)
    new.replace(file)


def beside(file: Path) -> Path:
    """Give where a file is written before it takes its name; a kill may leave it there."""
    return file.with_name(f".{file.name}.new")


def copy(source: Path, to: Path, ignore: Callable[[str, list[str]], Iterable[str]]) -> None:
    """Copy a folder whose modes are anybody's: everybody may read the copy, and only we may write it."""
    shutil.copytree(source, to, symlinks=True, ignore=ignore)
    for path in inside(to):
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode):
            path.chmod(PROGRAM if stat.S_ISDIR(mode) or mode & stat.S_IXUSR else TEXT)


def inside(folder: Path) -> Iterator[Path]:
    """Give a folder and all that lies below it; links are not followed."""
    for top, folders, files in os.walk(folder):
        yield Path(top)
        yield from (Path(top) / name for name in files)
        yield from (Path(top) / name for name in folders if (Path(top) / name).is_symlink())


def require_closed(paths: Iterable[Path], root: Path, *advice: str) -> None:
    """Refuse what somebody else could have written; Denied has the line that mends it below `root`.

    What is not there is nobody's. `advice` is told beside it.
    """
    found = [path for path in paths if is_open(path)]
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise Denied(
            f"others can write {shown(found[0])}{more}, and what lies there runs next",
            next_step=f"look at it, then chmod -R go-w {shlex.quote(str(root))}",
            evidence=(*map(shown, found[:SHOWN] if more else ()), *advice),
        )


def require_own(paths: Iterable[Path], root: Path, *advice: str, accounts: Collection[int] = ()) -> None:
    """Refuse also what belongs to another user than ourselves, root and these accounts."""
    known, owners = list(paths), {0, os.geteuid(), *accounts}
    foreign = next((path for path in known if owner_of(path) not in owners), None)
    if foreign is not None:
        raise Denied(
            f"{shown(foreign)} belongs to {whose(owner_of(foreign))}, and what lies there runs next",
            next_step=f"look at it, then {SUDO}chown -R {os.geteuid()} {shlex.quote(str(root))}",
            evidence=advice,
        )
    require_closed(known, root, *advice)


def is_open(path: Path) -> bool:
    """Tell whether another user than its owner, root and we can write it: by its mode, and the way to it."""
    try:
        return is_open_as(path, path.lstat())
    except OSError:
        return False


def is_open_as(path: Path, status: os.stat_result) -> bool:
    """Tell the same of what has been looked at."""
    if stat.S_ISLNK(status.st_mode) or not status.st_mode & 0o022:
        return False
    is_anybodys = bool(status.st_mode & stat.S_IWOTH)
    return (is_anybodys or _is_shared(path, status)) and not _is_enclosed(path)


def _is_shared(path: Path, status: os.stat_result) -> bool:
    """Tell whether a group that can write has others in it; of an access list its rights show the widest."""
    return sharing.has_others(status.st_gid, status.st_uid) or sharing.grants(path, status.st_uid)


def whose(uid: int) -> str:
    """Give a user as people read it: by number, and by name where it has one."""
    import pwd

    try:
        return f"uid {uid} ({pwd.getpwuid(uid).pw_name})"
    except KeyError:
        return f"uid {uid}"


def owner_of(path: Path) -> int:
    """Give who owns it; what is not there is ours to make."""
    try:
        return path.lstat().st_uid
    except OSError:
        return os.geteuid()


def _is_enclosed(path: Path) -> bool:
    """Tell whether a folder above it lets nobody but us and root pass."""
    above = (folder.stat() for folder in path.absolute().parents)
    return any(not one.st_mode & 0o011 and one.st_uid in {0, os.geteuid()} for one in above)
