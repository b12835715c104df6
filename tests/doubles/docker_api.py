"""A container engine's API on a unix socket, as far as a router reads it: containers and their events.

Like the real one it negotiates its version by a HEAD of /_ping, refuses versions that it has outgrown, lists
only what runs unless `all` is asked for, names containers with a slash in front, and never ends /events.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import re
import socketserver
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

VERSION, OLDEST = "1.47", "1.24"
_HEARTBEAT = 0.02
_ROUTE = re.compile(r"/v(\d+\.\d+)(/version|/events|/containers/json|/containers/[^/]+/json)")


@dataclass(frozen=True)
class Container:
    """A container as its inspection shows it: on one network, with one port that its image declares."""

    name: str
    labels: dict[str, str]
    address: str
    port: int
    network: str
    health: Literal["", "starting", "healthy", "unhealthy"] = "healthy"
    state: Literal["running", "exited"] = "running"

    @property
    def id(self) -> str:
        """64 hex digits, as the engine has them."""
        return self.name.encode().hex().ljust(64, "0")[:64]

    @property
    def networks(self) -> dict[str, Any]:
        return {self.network: {"NetworkID": f"net-{self.network}", "IPAddress": self.address}}

    def listed(self) -> dict[str, Any]:
        """Give the row of the list: no health but in words, and a slash before the name."""
        return {
            "Id": self.id,
            "Names": [f"/{self.name}"],
            "Labels": self.labels,
            "State": self.state,
            "Status": f"Up 1 second ({self.health})" if self.health else "Up 1 second",
            "HostConfig": {"NetworkMode": self.network},
            "NetworkSettings": {"Networks": self.networks},
        }

    def inspected(self) -> dict[str, Any]:
        """Give the whole container."""
        health = {"Health": {"Status": self.health}} if self.health else {}
        return {
            "Id": self.id,
            "Name": f"/{self.name}",
            "State": {"Status": self.state, "Running": self.state == "running", **health},
            "Config": {"Labels": self.labels},
            "HostConfig": {"NetworkMode": self.network},
            "NetworkSettings": {"Ports": {f"{self.port}/tcp": None}, "Networks": self.networks},
        }


@dataclass
class Engine:
    """What runs, what was asked of the API, and what happened since it was started."""

    socket: Path
    containers: dict[str, Container] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    happened: threading.Condition = field(default_factory=threading.Condition)
    listeners: int = 0
    is_over: bool = False

    def run(self, *containers: Container) -> None:
        """Start containers, and say so to everyone who listens."""
        for one in containers:
            self._change(one, "start")

    def say_health(self, name: str, health: Literal["starting", "healthy", "unhealthy"]) -> None:
        """Change the verdict of a container's health check."""
        self._change(replace(self.containers[name], health=health), f"health_status: {health}")

    def _change(self, container: Container, action: str) -> None:
        with self.happened:
            self.containers[container.name] = container
            actor = {"ID": container.id, "Attributes": {"name": container.name}}
            self.events.append({"Type": "container", "Action": action, "Actor": actor})
            self.happened.notify_all()

    def events_after(self, told: int) -> list[dict[str, Any]]:
        """Give what happened after the first `told` events, as soon as something did, else nothing."""
        with self.happened:
            self.happened.wait_for(lambda: len(self.events) > told, _HEARTBEAT)
            return self.events[told:]

    def answer(self, target: str) -> tuple[int, Any]:
        """Give status and JSON body of a read."""
        url = urlsplit(target)
        found = _ROUTE.fullmatch(url.path)
        if not found:
            return 404, {"message": "page not found"}
        if _number(found[1]) < _number(OLDEST):
            return 400, {"message": f"client version {found[1]} is too old"}
        if found[2] == "/version":
            return 200, {"Version": "27.5.1", "ApiVersion": VERSION, "MinAPIVersion": OLDEST}
        if found[2] == "/containers/json":
            wants_all = parse_qs(url.query).get("all") in (["1"], ["true"])
            shown = [one for one in self.containers.values() if wants_all or one.state == "running"]
            return 200, [one.listed() for one in shown]
        return self._inspect(found[2].split("/")[2])

    def _inspect(self, wanted: str) -> tuple[int, Any]:
        for one in self.containers.values():
            if wanted in {one.name, one.id}:
                return 200, one.inspected()
        return 404, {"message": f"No such container: {wanted}"}


@contextlib.contextmanager
def engine() -> Iterator[Engine]:
    """Give an engine without containers, until the block ends; its socket's path is short enough for all."""
    with tempfile.TemporaryDirectory(prefix="engine-") as folder:
        double = Engine(Path(folder) / "docker.sock")
        with _Server(double) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True)
            thread.start()
            try:
                yield double
            finally:
                double.is_over = True
                server.shutdown()
                thread.join()


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, double: Engine) -> None:
        super().__init__(str(double.socket), _Handler)
        self.engine = double

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that hangs up is part of the tests."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_HEAD(self) -> None:
        self._reply(200 if self.path == "/_ping" else 404, b"", "text/plain")

    def do_GET(self) -> None:
        self.server.engine.asked.append((self.command, self.path))
        if self.path == "/_ping":
            self._reply(200, b"OK", "text/plain")
        elif urlsplit(self.path).path.endswith("/events"):
            self._stream()
        else:
            status, body = self.server.engine.answer(self.path)
            self._reply(status, json.dumps(body).encode(), "application/json")

    def do_POST(self) -> None:
        """Note it and refuse: whoever only reads has no business here."""
        self.server.engine.asked.append((self.command, self.path))
        self._reply(405, b'{"message": "read only"}', "application/json")

    do_PUT = do_POST  # noqa: N815  # the name is http.server's
    do_DELETE = do_POST  # noqa: N815  # the name is http.server's

    def _reply(self, status: int, body: bytes, kind: str) -> None:
        self.send_response_only(status)
        self.send_header("Api-Version", VERSION)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        """Say what happens from now on, as long as anybody listens."""
        double = self.server.engine
        told = len(double.events)
        double.listeners += 1
        self.send_response_only(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while not double.is_over:
            for event in double.events_after(told):
                told += 1
                line = f"{json.dumps(event)}\n".encode()
                self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))

    def address_string(self) -> str:
        return "unix"


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(word) for word in version.split("."))
