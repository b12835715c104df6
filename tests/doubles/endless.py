"""Peers that send without an end, as fast as they are read."""

from __future__ import annotations

import contextlib
import socket
import socketserver
from collections.abc import Iterator
from pathlib import Path

from infra.model.addresses import LOOPBACK
from tests.doubles.http_server import running

PIECE = 64 * 1024


@contextlib.contextmanager
def endless(beginning: bytes, again: bytes = b"x") -> Iterator[int]:
    """Give the port of a server that says `beginning`, and then the other bytes until nobody listens."""
    with socketserver.ThreadingTCPServer((LOOPBACK, 0), _sender(beginning, again)) as server:
        server.daemon_threads = True
        with running(server):
            yield int(server.server_address[1])


@contextlib.contextmanager
def endless_socket(place: Path, again: bytes = b"x") -> Iterator[None]:
    """Have the same at a socket of the file system."""
    with socketserver.ThreadingUnixStreamServer(str(place), _sender(b"", again)) as server:
        server.daemon_threads = True
        with running(server):
            yield


def _sender(beginning: bytes, again: bytes) -> type[socketserver.BaseRequestHandler]:
    class Send(socketserver.BaseRequestHandler):
        request: socket.socket

        def handle(self) -> None:
            with contextlib.suppress(OSError):
                self.request.sendall(beginning)
                while True:
                    self.request.sendall(again * (PIECE // len(again)))

    return Send
