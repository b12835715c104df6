"""Small servers on loopback that answer, hang, drip or refuse: what the smoke test is proven against."""

from __future__ import annotations

import contextlib
import http.server
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from infra.model.addresses import LOOPBACK

_DRIP_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answers to one request."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


Answering = Callable[[str, str, Mapping[str, str]], Reply]


class LoopbackServer(socketserver.ThreadingTCPServer):
    """An HTTP server on a free loopback port; `answering` gets method, target and headers."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, answering: Answering) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.answering = answering

    @property
    def port(self) -> int:
        """The port that the system chose."""
        return int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that hangs up early is part of the tests."""


class _Handler(http.server.BaseHTTPRequestHandler):
    disable_nagle_algorithm = True
    server: LoopbackServer

    def handle_one_request(self) -> None:
        self.close_connection = True
        self.raw_requestline = self.rfile.readline(65537)
        if self.raw_requestline and self.parse_request():
            reply = self.server.answering(self.command, self.path, dict(self.headers.items()))
            self.send_response_only(reply.status)
            for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)


@contextlib.contextmanager
def serving(answering: Answering) -> Iterator[str]:
    """Give the base URL of a server that answers so, until the block ends."""
    with LoopbackServer(answering) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True)
        thread.start()
        try:
            yield f"http://{LOOPBACK}:{server.port}"
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def refusing() -> Iterator[str]:
    """Give the base URL of a port that is held and refuses every connection."""
    with socket.socket() as holder:
        holder.bind((LOOPBACK, 0))
        yield f"http://{LOOPBACK}:{holder.getsockname()[1]}"


@contextlib.contextmanager
def hanging() -> Iterator[str]:
    """Give the base URL of a server that takes connections and never says a word."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        yield f"http://{LOOPBACK}:{listener.getsockname()[1]}"


@contextlib.contextmanager
def dripping(beginning: bytes = b"") -> Iterator[str]:
    """Give the base URL of a server that says `beginning`, then one byte after the other without an end."""
    over = threading.Event()

    class Drip(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                self.request.sendall(beginning)
                while not over.wait(_DRIP_SECONDS):
                    self.request.sendall(b"x")

    class Dripping(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Dripping((LOOPBACK, 0), Drip) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True)
        thread.start()
        try:
            yield f"http://{LOOPBACK}:{server.server_address[1]}"
        finally:
            over.set()
            server.shutdown()
            thread.join()
