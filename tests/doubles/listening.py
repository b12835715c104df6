"""A stranger who listens where a server of ours should, answers as told, and keeps what it hears."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Stranger:
    """Where it listens; `heard` is everything that was sent to it."""

    port: int
    heard: bytearray = field(default_factory=bytearray)


@contextmanager
def stranger(answer: bytes) -> Iterator[Stranger]:
    """Listen on loopback; each message is answered by the same bytes, until the asker goes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = Stranger(listener.getsockname()[1])
        threading.Thread(target=_serve, args=(listener, found, answer), daemon=True).start()
        yield found


def _serve(listener: socket.socket, found: Stranger, answer: bytes) -> None:
    with suppress(OSError):
        while True:
            peer, _ = listener.accept()
            with peer, suppress(OSError):
                while said := peer.recv(65536):
                    found.heard += said
                    peer.sendall(answer)
