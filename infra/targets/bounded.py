"""A socket that ends: every wait is cut to what is left until one deadline, and an answer has a size."""

from __future__ import annotations

import io
import socket
import time
from typing import Any

MOST = 8 * 1024 * 1024


class TooMuch(OSError):
    """More was sent than any answer is long."""


class Wire:
    """A connected socket as `http.client` uses it; TimeoutError once the monotonic `deadline` is over.

    TooMuch once more than `most` bytes were read: whoever sends without an end takes neither memory nor time.
    """

    def __init__(self, sock: socket.socket, deadline: float, most: int = MOST) -> None:
        self._sock = sock
        self._deadline = deadline
        self._most = most

    def sendall(self, content: bytes) -> None:
        """Send everything or raise."""
        self._sock.settimeout(left(self._deadline))
        self._sock.sendall(content)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Give the reading side."""
        return io.BufferedReader(_Reader(self._sock, self._deadline, self._most))

    def close(self) -> None:
        """Leave the socket open: who connected closes it, after the body is read."""


def lines(sock: socket.socket, asked: bytes, count: int, within: float, most: int = MOST) -> list[str]:
    """Send what is asked and give that many lines of the answer, all of it within these seconds."""
    wire = Wire(sock, time.monotonic() + within, most)
    wire.sendall(asked)
    answers = wire.makefile("rb")
    return [answers.readline().decode("ascii", "replace").strip() for _ in range(count)]


def left(deadline: float) -> float:
    """Give the seconds until a monotonic deadline; TimeoutError when it is over."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


class _Reader(io.RawIOBase):
    def __init__(self, sock: socket.socket, deadline: float, most: int) -> None:
        self._sock = sock
        self._deadline = deadline
        self._left = most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        self._sock.settimeout(left(self._deadline))
        read = self._sock.recv_into(buffer)
        self._left -= read
        if self._left < 0:
            raise TooMuch("it sends without an end")
        return read
