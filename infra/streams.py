"""Text for a reader who may go away: writing never fails, and what could not be written is remembered."""

from __future__ import annotations

import errno
import os
import sys
from typing import Any

# Nobody reads any more: a closed pipe, a terminal that is gone, a stream that was closed before the start.
GONE = frozenset({errno.EPIPE, errno.EIO, errno.EBADF})


class ReaderGone(BaseException):
    """Nobody takes what a listing writes; `fault` says why."""

    def __init__(self, fault: OSError) -> None:
        super().__init__(str(fault))
        self.fault = fault

    @property
    def is_quiet(self) -> bool:
        """True when the reader went away, which is no fault; a full disk is one."""
        return self.fault.errno in GONE


class Stream:
    """One of Python's streams, by its name in `sys`. After the first failure it writes no more.

    `ends` is for listings: the first failure raises ReaderGone, since nobody waits for the rest.
    """

    def __init__(self, name: str, *, ends: bool = False) -> None:
        self._name = name
        self.ends = ends
        self.fault: OSError | None = None

    def write(self, text: str) -> int:
        """Write a text through to the reader, and give its length."""
        if self.fault is None:
            try:
                self._send(text)
            except OSError as error:
                self._fail(error)
        return len(text)

    def flush(self) -> None:
        """Return: every text was written through."""

    def isatty(self) -> bool:
        """Tell whether a person's terminal is there."""
        stream = getattr(sys, self._name)
        return self.fault is None and stream is not None and stream.isatty()

    def _send(self, text: str) -> None:
        stream = getattr(sys, self._name)
        if stream is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        stream.write(text)
        stream.flush()

    def _fail(self, error: OSError) -> None:
        self.fault = error
        self._forget_buffer()
        if self.ends:
            raise ReaderGone(error)

    def _forget_buffer(self) -> None:
        """Send what the interpreter still holds to nowhere: at its end it would fail, and exit with 120."""
        stream = getattr(sys, self._name)
        if stream is None or stream not in {sys.__stdout__, sys.__stderr__}:
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        """Give whatever else a stream has, such as its encoding."""
        return getattr(getattr(sys, self._name), name)
