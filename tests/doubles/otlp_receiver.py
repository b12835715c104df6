"""A small OTLP/HTTP receiver for logs: strict about what it takes, and slow or unwilling on demand."""

from __future__ import annotations

import contextlib
import http.server
import json
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from infra.model.addresses import LOOPBACK
from tests.doubles import otlp_messages
from tests.doubles.http_server import Certificate


@dataclass(frozen=True)
class Record:
    """A log record with the resource that it was told of; attributes are plain values."""

    resource: dict[str, Any]
    attributes: dict[str, Any]
    message: str
    event: str
    severity: int
    at: float


@dataclass
class Receiver:
    """What came, and what is answered. `status` may be set to refuse, `delay` (seconds) to be slow.

    `faults` says why requests were refused with 400; `bodies` holds all that was ever posted.
    """

    url: str = ""
    status: int = 200
    delay: float = 0.0
    answer: bytes = b"{}"
    records: list[Record] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    is_over: threading.Event = field(default_factory=threading.Event)

    def until(self, condition: Callable[[], bool], seconds: float = 20.0) -> None:
        """Wait until what has come meets a condition; the test fails when it does not in time."""
        with self.changed:
            met = self.changed.wait_for(condition, seconds)
        assert met, f"only these came: {[(one.event, one.attributes) for one in self.records]} {self.faults}"

    def of(self, event: str) -> list[Record]:
        """Give the records of one event, empty for checkpoints."""
        return [one for one in self.records if one.event == event]

    @property
    def checkpoints(self) -> list[tuple[int, str, str]]:
        """Number, state and reason of each checkpoint, in the order in which they were reached."""
        told = sorted(self.of(""), key=lambda one: one.at)
        return [
            tuple(one.attributes[f"checkpoint.{key}"] for key in ("number", "state", "reason"))
            for one in told
        ]

    def take(self, path: str, kind: str, body: bytes) -> tuple[int, bytes]:
        """Give status and body of the answer to a post."""
        wrong = list(_faults(path, kind, body))
        with self.changed:
            self.bodies.append(body)
            self.faults += wrong
            if self.status == 200 and not wrong:
                self.records += _records(otlp_messages.parsed(body))
            self.changed.notify_all()
        if wrong:
            return 400, json.dumps({"message": "; ".join(wrong)}).encode()
        return (200, self.answer) if self.status == 200 else (self.status, b'{"message": "on demand"}')


def _faults(path: str, kind: str, body: bytes) -> Iterator[str]:
    if path != "/v1/logs":
        yield f"{path}: logs go to /v1/logs"
    if kind != "application/json":
        yield f"{kind}: application/json is expected"
    try:
        yield from otlp_messages.faults(otlp_messages.parsed(body))
    except ValueError as error:
        yield str(error)


def _records(request: dict[str, Any]) -> Iterator[Record]:
    for one in request.get("resourceLogs", []):
        resource = _plain(one.get("resource", {}))
        for record in (
            record for scope in one.get("scopeLogs", []) for record in scope.get("logRecords", [])
        ):
            yield Record(
                resource=resource,
                attributes=_plain(record),
                message=record.get("body", {}).get("stringValue", ""),
                event=record.get("eventName", ""),
                severity=record.get("severityNumber", 0),
                at=int(record.get("timeUnixNano", 0)) / 1e9,
            )


def _plain(holder: dict[str, Any]) -> dict[str, Any]:
    return {one["key"]: _value(*next(iter(one["value"].items()))) for one in holder.get("attributes", [])}


def _value(kind: str, value: Any) -> Any:
    return int(value) if kind == "intValue" else value


@contextlib.contextmanager
def receiving(pair: Certificate | None = None) -> Iterator[Receiver]:
    """Give a receiver that runs until the block ends, by https where it is given a certificate."""
    receiver = Receiver()
    with _Server(receiver) as server:
        if pair:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pair.certificate, pair.key)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        receiver.url = f"{'https' if pair else 'http'}://{LOOPBACK}:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.is_over.set()
            server.shutdown()
            thread.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, receiver: Receiver) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.receiver = receiver

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that gives up is part of the tests."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        receiver = self.server.receiver
        body = self.rfile.read(int(self.headers["Content-Length"]))
        receiver.is_over.wait(receiver.delay)
        status, answer = receiver.take(self.path, self.headers.get("Content-Type", ""), body)
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
