"""Vault at the wire, for failures that a real server does not give on demand.

Like the real one it refuses dead tokens in other words than poor ones, says 503 to everyone while it is
sealed, and never sends `Retry-After`.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import socketserver
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from infra.model.addresses import LOOPBACK
from tests.doubles.http_server import Certificate, with_tls
from tests.doubles.vault_kv import NOTHING, Engine, Said, envelope

ROOT, POOR = "root-of-the-double", "a-token-without-policies"
POOR_WORDS = "1 error occurred:\n\t* permission denied\n\n"
DEAD_WORDS = "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request; `is_done` tells whether it is carried out all the same."""

    kind: Literal["status", "hang up", "half", "wrong JSON", "slow", "drip", "redirect"]
    status: int = 500
    words: str = "the storage is away"
    location: str = ""
    is_done: bool = False


@dataclass
class VaultApi:
    """A server with one mount, `secret`. Each request to it takes one of the `faults`; a None lets one pass.

    `delay` is in seconds, and so is how far its clock is `ahead` of ours. `asked` holds method and target of
    each request, `tokens` what came as its token.
    """

    address: str = ""
    engine: Engine = field(default_factory=Engine)
    faults: list[Fault | None] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    connections: int = 0
    delay: float = 0.0
    ahead: int = 0
    is_sealed: bool = False
    progress: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    is_over: threading.Event = field(default_factory=threading.Event)

    def answer(self, method: str, target: str, token: str, content: bytes) -> Said:
        """Give status and body of one request, faults left aside."""
        url = urlsplit(target)
        path = url.path.removeprefix("/v1/")
        state = {"initialized": True, "sealed": self.is_sealed}
        open_to_all = {
            "sys/health": (
                503 if self.is_sealed else 200,
                {**state, "server_time_utc": int(time.time()) + self.ahead},
            ),
            "sys/seal-status": (200, {**state, "t": 3, "progress": self.progress}),
        }
        if path in open_to_all:
            return open_to_all[path]
        if self.is_sealed:
            return 503, {"errors": ["Vault is sealed"]}
        if token != ROOT:
            return 403, {"errors": [POOR_WORDS if token == POOR else DEAD_WORDS]}
        if path == "auth/token/lookup-self":
            return 200, envelope({"policies": ["root"]}, mount="token")
        if not path.startswith("secret/"):
            return 404, {"errors": [f'no handler for route "{path}". route entry not found.']}
        version = int(parse_qs(url.query).get("version", ["0"])[0])
        return self._of_engine(method, path.removeprefix("secret/"), version, content)

    def _of_engine(self, method: str, below: str, version: int, content: bytes) -> Said:
        part, _, name = below.partition("/")
        try:
            body = json.loads(content or b"{}")
        except ValueError:
            return 500, {"errors": ["failed to parse JSON input"]}
        return self.engine.answer(method, part, name, version, body)

    def fault(self, target: str) -> Fault | None:
        """Take the next fault, for a request to the mount."""
        with self.lock:
            return self.faults.pop(0) if self.faults and target.startswith("/v1/secret/") else None


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.api.connections += 1

    def handle_any(self) -> None:
        api = self.server.api
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        token = self.headers.get("X-Vault-Token", "")
        with api.lock:
            api.asked.append((self.command, self.path))
            api.tokens.append(token)
            api.bodies.append(content)
        fault = api.fault(self.path)
        said: Said = (200, NOTHING)
        if fault is None or fault.is_done:
            with api.lock:
                said = api.answer(self.command, self.path, token, content)
        api.is_over.wait(api.delay)
        if fault is None:
            self.say(*said)
        else:
            self.fail(fault, said)

    def fail(self, fault: Fault, said: Said) -> None:
        api = self.server.api
        if fault.kind == "status":
            return self.say(fault.status, {"errors": [fault.words]})
        if fault.kind == "redirect":
            return self.say(307, None, location=fault.location)
        if fault.kind == "wrong JSON":
            return self.write(200, b'{"data": {"data": {"A": "<html>')
        if fault.kind == "slow":
            api.is_over.wait(30)
        if fault.kind == "half":
            whole = json.dumps(said[1]).encode()
            self.write(said[0], whole[: len(whole) // 2], length=len(whole))
        if fault.kind == "drip":
            self.write(200, b"{", length=100)
            with contextlib.suppress(OSError):
                while not api.is_over.wait(0.01):
                    self.wfile.write(b" ")
        self.close_connection = True
        return None

    def say(self, status: int, body: dict[str, Any] | None, *, location: str = "") -> None:
        self.write(status, b"" if body is None else json.dumps(body).encode(), location=location)

    def write(self, status: int, content: bytes, *, length: int | None = None, location: str = "") -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content) if length is None else length))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = do_LIST = do_PATCH = handle_any  # noqa: N815 # http.server's names


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, api: VaultApi) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.api = api

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that hangs up early is part of the tests."""


@contextlib.contextmanager
def vault_api(pair: Certificate | None = None) -> Iterator[VaultApi]:
    """Give a double that answers on loopback until the block ends, over TLS where it has a certificate."""
    api = VaultApi()
    with _Server(api) as server:
        api.address = f"{'https' if pair else 'http'}://{LOOPBACK}:{server.server_address[1]}"
        if pair:
            server.socket = with_tls(server.socket, pair)
        thread = threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True)
        thread.start()
        try:
            yield api
        finally:
            api.is_over.set()
            server.shutdown()
            thread.join()
