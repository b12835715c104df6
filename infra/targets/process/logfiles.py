"""A unit's output: one file, kept small by copying it aside and emptying it in place.

Units write straight into the file, never through a pipe: a dead supervisor must not end them. The
file is opened for appending, so a write after the emptying starts at its beginning again.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

LARGEST = 5 * 1024 * 1024


def open_log(path: Path) -> int:
    """Give a file descriptor for a unit's output; the file is 0600."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def rotate(path: Path, largest: int = LARGEST) -> None:
    """Move a log that is over `largest` bytes to `<name>.1` and start it anew; one older file is kept."""
    if not path.exists() or path.stat().st_size <= largest:
        return
    shutil.copyfile(path, path.with_name(path.name + ".1"))
    os.truncate(path, 0)


def tail(path: Path, lines: int) -> list[str]:
    """Give the last lines of a unit's output, the rotated part included; none where there is no file."""
    texts = [_read(path.with_name(path.name + ".1")), _read(path)]
    return "".join(texts).splitlines()[-lines:] if lines else []


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def size(path: Path) -> int:
    """Give the size of a log in bytes, 0 where there is none."""
    return path.stat().st_size if path.exists() else 0


def since(path: Path, place: int) -> tuple[list[str], int]:
    """Give the whole lines after a place, and the place after them; a log that was emptied starts at 0."""
    if size(path) < place:
        place = 0
    if size(path) == place:
        return [], place
    with path.open("rb") as log:
        log.seek(place)
        whole = log.read().rpartition(b"\n")[0]
    lines = whole.decode("utf-8", "replace").split("\n") if whole else []
    return lines, place + len(whole) + bool(whole)
