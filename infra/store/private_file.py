"""Files that only their owner can read: checked before each use, replaced whole, one writer at a time."""

from __future__ import annotations

import fcntl
import os
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.model.errors import Unreachable
from infra.store.guard import FULL, in_words, require_private

_POLL = 0.005


def make_folder(folder: Path) -> None:
    """Make the folder and the missing ones above it, each 0700."""
    with in_words(folder):
        for missing in reversed([one for one in (folder, *folder.parents) if not one.exists()]):
            missing.mkdir(mode=0o700, exist_ok=True)


def read(file: Path) -> str | None:
    """Give the file's text, None when there is no file; Denied when it is not private."""
    with in_words(file):
        try:
            # O_NONBLOCK: a named pipe in the file's place must not make us wait.
            descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor, encoding="utf-8", newline="") as source:
            require_private(file, os.fstat(descriptor), 0o600)
            return source.read()


def replace(file: Path, text: str, *, may_pad: bool = False) -> None:
    """Write the whole file beside the old one and rename: a reader or a crash sees the old or the new one.

    With `may_pad` the text may end in blanks: on a full disk, one that fits is written over the old one,
    padded to its length. That is how things are freed and removed there; a crash may tear it.
    """
    beside = file.with_name(file.name + ".new")
    with in_words(file):
        beside.unlink(missing_ok=True)
        try:
            _write_through(beside, text)
            beside.replace(file)
        except OSError as error:
            beside.unlink(missing_ok=True)
            if not (may_pad and error.errno in FULL and _written_over(file, text)):
                raise
        _sync_folder(file.parent)


@contextmanager
def locked(file: Path, patience: float) -> Iterator[None]:
    """Be the only writer of a file; Unreachable when another one is not done within `patience` seconds."""
    lock = file.with_name(file.name + ".lock")
    with in_words(lock):
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    try:
        _wait_for(descriptor, lock, patience)
        yield
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, lock: Path, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                words = f"another process has been writing for {patience:g} s: {lock}"
                raise Unreachable(words, next_step=f"fuser -v {shlex.quote(str(lock))}") from None
            time.sleep(_POLL)
        else:
            return


def _write_through(file: Path, text: str) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as out:
        out.write(text)
        out.flush()
        os.fsync(descriptor)


def _written_over(file: Path, text: str) -> bool:
    """Write the text over the old one in one go, where it fits; nothing is written where it does not."""
    content = text.encode()
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    with os.fdopen(descriptor, "wb", buffering=0) as out:
        room = os.fstat(descriptor).st_size
        if len(content) > room:
            return False
        is_whole = out.write(content.ljust(room)) == room
        os.fsync(descriptor)
    return is_whole


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
