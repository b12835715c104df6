"""What is refused before a private file is used, and the system's errors in words with a next step."""

from __future__ import annotations

import errno
import os
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from infra.model.errors import Denied, InfraError, StoreError, Unwritable
from infra.model.work_tree import inside_work_tree

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_OTHERS = 0o077
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM})


def require_folder(folder: Path, forbidden_root: Path) -> None:
    """Refuse a folder that others can enter, a link, or one inside of any checkout; it may be missing.

    Denied names the command that mends it.
    """
    with in_words(folder), suppress(FileNotFoundError):
        require_private(folder, folder.lstat(), 0o700)
    real, root = folder.resolve(), forbidden_root.resolve()
    top = root if real.is_relative_to(root) else _work_tree(real)
    if top is not None:
        words = "secrets", str(folder), str(top), str(Path.home().resolve())
        raise inside_work_tree(*words, _elsewhere(folder))


def _work_tree(real: Path) -> Path | None:
    """Give the top of the git work tree around a folder; a linked one and a submodule have a file there."""
    return next((one for one in (real, *real.parents) if os.path.lexists(one / ".git")), None)


def _elsewhere(folder: Path) -> str:
    """Give the line that uses another place; what lies in this one already goes along, of all checkouts."""
    line = 'export XDG_DATA_HOME="$HOME/.local/share"'
    if not folder.exists():
        return line
    ours = shlex.quote(str(folder.parents[1]))
    return f'{line} && mkdir -p "$XDG_DATA_HOME" && mv -n {ours} "$XDG_DATA_HOME/"'


def require_private(path: Path, status: os.stat_result, mode: int) -> None:
    """Refuse a link, another owner and wider modes than 0700 (a folder) or 0600 (a file)."""
    quoted, is_folder = shlex.quote(str(path)), mode == 0o700
    is_right_kind = stat.S_ISDIR(status.st_mode) if is_folder else stat.S_ISREG(status.st_mode)
    if stat.S_ISLNK(status.st_mode):
        raise _link(path)
    if not is_right_kind:
        raise Denied(f"{path} is not a {'folder' if is_folder else 'file'}", next_step=f"ls -ld {quoted}")
    if status.st_uid != os.geteuid():
        words = f"{path} belongs to uid {status.st_uid}, not to you"
        raise Denied(words, next_step=f"sudo chown {os.geteuid()} {quoted}")
    if status.st_mode & _OTHERS:
        words = f"{path} has mode {stat.S_IMODE(status.st_mode):04o}, wider than {mode:04o}"
        raise Denied(words, next_step=f"chmod {mode:o} {quoted}")


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Turn what the system says into the errors that people see; what was there stays as it was."""
    try:
        yield
    except InfraError:
        raise
    except UnicodeDecodeError:
        raise StoreError(f"{path} is damaged: it is no text") from None
    except OSError as error:
        raise _translated(path, error) from None


def _link(path: Path) -> Denied:
    quoted = shlex.quote(str(path))
    return Denied(
        f"{path} is a symbolic link",
        next_step=f'real=$(readlink -f {quoted}) && rm {quoted} && mv "$real" {quoted}',
    )


def _translated(path: Path, error: OSError) -> InfraError:
    quoted = shlex.quote(str(path.parent))
    if error.errno == errno.ELOOP:
        return _link(path)
    if error.errno in FULL:
        return Unwritable(f"the disk is full: {path} stays as it was", next_step=f"df -h {quoted}")
    if error.errno == errno.EROFS:
        return Unwritable(f"the disk is read-only: {path} stays as it was", next_step=f"df -h {quoted}")
    if error.errno in _FORBIDDEN:
        return Denied(f"{path}: {error.strerror}", next_step=f"ls -ld {shlex.quote(str(path))}")
    return StoreError(f"{path}: {error.strerror}", next_step=f"ls -ld {quoted}")
