"""The wheel's Traefik on loopback, and a client that asks for a path as it is written."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.plan.route_probes import answered_by
from infra.targets.process.programs import find
from tests.doubles.echo_server import echoing
from tests.needs import require
from tests.reference_app.servers import accepts
from tests.waiting import PATIENCE, until

LOOPBACK = "127.0.0.1"
NEIGHBOURS = tuple(f"127.77.0.{last}" for last in range(1, 255))


@dataclass(frozen=True)
class Answer:
    """What came back; `part` is what the router says of itself, None without one of ours."""

    status: int
    part: str | None
    location: str
    body: str

    @property
    def echo(self) -> tuple[str, str]:
        """Who answered behind the router, and what it was asked for."""
        name, path = json.loads(self.body)
        return name, path


class Visit(http.client.HTTPConnection):
    """A kept connection to one port of loopback, under any host name; over TLS with a context."""

    def __init__(self, port: int, host: str, context: ssl.SSLContext | None = None) -> None:
        super().__init__(LOOPBACK, port, timeout=PATIENCE)
        self.name, self.context = host, context

    def connect(self) -> None:
        plain = socket.create_connection((LOOPBACK, self.port), self.timeout)
        name = self.name.lower().partition(":")[0]
        self.sock = self.context.wrap_socket(plain, server_hostname=name) if self.context else plain

    def ask(self, target: str, method: str = "GET") -> Answer:
        """Give the answer to a target that nobody tidies up on the way."""
        self.putrequest(method, target, skip_host=True)
        self.putheader("Host", self.name)
        self.endheaders()
        got = self.getresponse()
        headers = dict(got.getheaders())
        return Answer(got.status, answered_by(headers), headers.get("Location", ""), got.read().decode())

    def is_routed(self, path: str = "/") -> bool:
        """Tell whether a router of ours answers this path already."""
        try:
            return self.ask(path).part is not None
        except OSError:
            return False
        finally:
            self.close()


@dataclass
class Traefik:
    """A running router."""

    argv: list[str]
    folder: Path
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")

    def is_healthy(self) -> bool:
        """Tell what the health check of its container says."""
        return subprocess.run([self.argv[0], "healthcheck", self.argv[1]], check=False).returncode == 0


@contextlib.contextmanager
def traefik(folder: Path, static: dict[str, Any]) -> Iterator[Traefik]:
    """Run Traefik with this static configuration until the block ends; its entry points listen by then."""
    file = folder / "traefik.yaml"
    file.write_text(json.dumps(static), encoding="utf-8")
    router = Traefik([*find("traefik").argv, f"--configFile={file}"], folder)
    ports = [int(one["address"].rpartition(":")[2]) for one in static["entryPoints"].values()]
    with (folder / "log").open("ab") as log:
        process = router.process = subprocess.Popen(router.argv, stdout=log, stderr=log)
    try:
        until(lambda: all(map(accepts, ports)) or process.poll() is not None)
        assert process.poll() is None, router.log
        yield router
    finally:
        process.kill()
        process.wait(PATIENCE)


@contextlib.contextmanager
def listening(name: str, port: int, claims: str) -> Iterator[str]:
    """Give the first address of loopback on which an echo can have this very port, until the block ends."""
    with contextlib.ExitStack() as stack:
        for address in NEIGHBOURS:
            with contextlib.suppress(OSError):
                stack.enter_context(echoing(name, address, port, claims))
                break
        else:
            raise AssertionError(f"port {port} is taken on every address of loopback")
        yield address


def wildcard(folder: Path, *domains: str) -> dict[str, str]:
    """Make a self-signed certificate for all hosts of these domains that lives a day; as Traefik names it."""
    require("openssl")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    argv = ["openssl", "req", "-x509", "-nodes", "-days", "1", "-subj", "/CN=test"]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    names = ["-addext", "subjectAltName=" + ",".join(f"DNS:*.{domain}" for domain in domains)]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*argv, *curve, *names, *files], check=True, capture_output=True)
    return {"certFile": str(certificate), "keyFile": str(key)}
