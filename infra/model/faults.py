"""Whatever a command raises, as one of the errors that people see."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Mapping

from infra.model.errors import CannotTell, InfraError

# What the machine refuses, and no code foresees. Any other error of the system is a fault of ours.
_OF_THE_MACHINE: Mapping[int, tuple[str, str]] = {
    errno.ENOSPC: ("the disk is full", "df -h"),
    errno.EDQUOT: ("the disk quota is used up", "quota"),
    errno.EFBIG: ("the file would be larger than it may be", "ulimit -f"),
    errno.EROFS: ("the disk is read-only", "mount"),
    errno.EIO: ("the disk or the terminal failed", "dmesg | tail"),
    errno.EMFILE: ("too many files are open", "ulimit -n"),
    errno.EACCES: ("permission denied", "id"),
    errno.EPERM: ("not permitted", "id"),
}


def as_error(error: Exception) -> InfraError:
    """Give the error as people see it: as it is, as what the machine refused, or as a fault of this tool."""
    if isinstance(error, InfraError):
        return error
    known = _OF_THE_MACHINE.get(error.errno or 0) if isinstance(error, OSError) else None
    if isinstance(error, OSError) and known:
        words, step = known
        place = f"{error.filename}: " if error.filename else ""
        return CannotTell(f"{place}{words}", next_step=f"{step}; mend it, then repeat the command")
    return own_fault(error)


def own_fault(error: Exception) -> CannotTell:
    """Give an error that nobody foresaw, with the places that it came through."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    places = tuple(f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.line}" for frame in frames)
    words = f"a fault of this tool: {type(error).__name__}: {error}"
    return CannotTell(words, evidence=places, next_step="repeat it once, then report it with these lines")
