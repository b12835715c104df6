"""A unit's output: one file, kept small by copying it aside and emptying it in place.

Units write straight into the file, never through a pipe: a dead supervisor must not end them. The
file is opened for appending, so a write after the emptying starts at its beginning again. What is read of
it has an end, however much a unit writes: by pieces, and of each line no more than `LONGEST` bytes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from infra.model.redaction import CUT

LARGEST = 5 * 1024 * 1024
LONGEST = 64 * 1024
PIECE = 1024 * 1024
MOST = 8 * 1024 * 1024


class Tail(NamedTuple):
    """The last whole lines of an output, what was begun after them, and the place after the whole ones."""

    lines: list[str]
    begun: str
    place: int


def open_log(path: Path) -> int:
    """Give a file descriptor for a unit's output; the file is 0600."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def rotate(path: Path, largest: int = LARGEST) -> None:
    """Move a log that is over `largest` bytes to `<name>.1` and start it anew; one older file is kept.

    Of one that grew much larger meanwhile its end is kept, twice as much, from the beginning of a line.
    """
    if size(path) <= largest:
        return
    with path.open("rb") as log, path.with_name(path.name + ".1").open("wb") as older:
        kept = min(log.seek(0, os.SEEK_END), 2 * largest)
        place = log.seek(-kept, os.SEEK_END)
        kept -= len(log.readline(kept)) if place else 0
        while kept > 0 and (piece := log.read(min(PIECE, kept))):
            kept -= older.write(piece)
    os.truncate(path, 0)


def tail(path: Path, lines: int) -> Tail:
    """Give the end of a unit's output, the rotated part included."""
    now, place = _ending(path, lines)
    missing = lines - now.count(b"\n")
    is_all = missing >= 0 and place == len(now)
    before = _ending(path.with_name(path.name + ".1"), missing)[0] if is_all else b""
    *whole, begun = (before + now).split(b"\n")
    found = [_line(one) for one in whole][-lines:] if lines > 0 else []
    return Tail(found, _begun(begun) if begun and lines > 0 else "", place - len(begun))


def _ending(path: Path, lines: int) -> tuple[bytes, int]:
    """Give the end of a file with that many lines, of about `MOST` bytes at most, and the file's size."""
    found = b""
    try:
        with path.open("rb") as log:
            size = place = log.seek(0, os.SEEK_END)
            while place and found.count(b"\n") <= lines and len(found) < MOST:
                step = min(PIECE, place)
                place = log.seek(place - step)
                found = log.read(step) + found
    except FileNotFoundError:
        return b"", 0
    return (_whole(found) if place else found), size


def _whole(found: bytes) -> bytes:
    """Give what was read without its first line, whose beginning was not."""
    _, end, rest = found.partition(b"\n")
    return rest if end else f"{CUT} (cut: a line of {len(found)} bytes or more)\n".encode()


def size(path: Path) -> int:
    """Give the size of a log in bytes, 0 where there is none."""
    return path.stat().st_size if path.exists() else 0


def since(path: Path, place: int) -> tuple[list[str], int]:
    """Give whole lines after a place, and the place after them; a log that was emptied starts at 0.

    One call reads one piece: ask until there is nothing. A place inside a line goes on with the next line.
    """
    try:
        with path.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            place = place if place <= size else 0
            log.seek(max(place - 1, 0))
            is_inside = place > 0 and log.read(1) != b"\n"
            found = log.read(PIECE)
    except FileNotFoundError:
        return [], 0
    return _skipped(found, place) if is_inside else _read(found, place)


def _read(found: bytes, place: int) -> tuple[list[str], int]:
    end = found.rfind(b"\n") + 1
    if not end and len(found) == PIECE:
        return [_line(found)], place + PIECE
    return [_line(one) for one in found[:end].split(b"\n")[:-1]], place + end


def _skipped(found: bytes, place: int) -> tuple[list[str], int]:
    end = found.find(b"\n") + 1
    return _read(found[end:], place + end) if end else ([], place + len(found))


def _line(line: bytes) -> str:
    """Give a line as text, cut where it is too long; bytes that are no text are written out."""
    if len(line) > LONGEST:
        return f"{_begun(line)} (cut: a line of {len(line)} bytes or more)"
    return line.removesuffix(b"\r").decode("utf-8", "backslashreplace")


def _begun(line: bytes) -> str:
    """Give the beginning of a line, with the mark that lets a secret be known whose end is missing."""
    return line[:LONGEST].decode("utf-8", "ignore") + CUT
