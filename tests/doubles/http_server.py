"""HTTP servers of tests that go beyond the self-test's: TLS, redirects, answers cut short, a call log."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.model.addresses import LOOPBACK
from infra.verify.loopback import Answering, LoopbackServer, Reply
from tests.needs import require


@dataclass
class Site:
    """Answers by path from a table that a test may change; remembers every request."""

    replies: dict[str, Reply] = field(default_factory=dict)
    asked: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)

    def answer(self, method: str, target: str, headers: Mapping[str, str]) -> Reply:
        """Give the reply of the table, 404 for what is not in it."""
        self.asked.append((method, target, headers))
        return self.replies.get(target, Reply(404))


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate for `localhost` and 127.0.0.1, with its key."""

    certificate: Path
    key: Path


def self_signed(folder: Path) -> Certificate:
    """Make a certificate that lives a day."""
    require("openssl")
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    argv = ["openssl", "req", "-x509", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    files = ["-keyout", str(made.key), "-out", str(made.certificate)]
    subprocess.run([*argv, *curve, *names, *files], check=True, capture_output=True)
    return made


def with_tls(listener: socket.socket, pair: Certificate) -> ssl.SSLSocket:
    """Give the listener with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    return context.wrap_socket(listener, server_side=True)


@contextlib.contextmanager
def serving_tls(answering: Answering, pair: Certificate) -> Iterator[str]:
    """Give the https base URL of a server with this certificate, until the block ends."""
    with LoopbackServer(answering) as server:
        server.socket = with_tls(server.socket, pair)
        with running(server):
            yield f"https://{LOOPBACK}:{server.port}"


@contextlib.contextmanager
def saying(answer: bytes) -> Iterator[str]:
    """Give the base URL of a server that says these bytes to everyone and hangs up."""

    class Say(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline().strip():
                pass
            self.wfile.write(answer)

    with socketserver.ThreadingTCPServer((LOOPBACK, 0), Say) as server, running(server):
        yield f"http://{LOOPBACK}:{server.server_address[1]}"


@contextlib.contextmanager
def running(server: socketserver.BaseServer) -> Iterator[None]:
    """Serve in a thread of its own until the block ends."""
    thread = threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
