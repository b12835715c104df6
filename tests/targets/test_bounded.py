"""Nobody who sends without an end takes our memory: what is read has a size, and all of it a deadline."""

from __future__ import annotations

import socket
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.model.errors import CannotTell, StoreError, Unreachable
from infra.model.secret import Secret
from infra.model.service import Health
from infra.model.unit import Unit
from infra.store.vault.client import VaultClient
from infra.targets.bounded import TooMuch, Wire, lines
from infra.targets.process import probes
from infra.targets.process.client import Client
from infra.testing.cache import Cache
from infra.verify.http import ask
from infra.verify.loopback import dripping
from tests.doubles.endless import endless, endless_socket
from tests.proven import marks_of

LITTLE = 2 * 1024 * 1024
LARGEST = 64 * 1024 * 1024  # of who reads whole answers, before they are known to be too long
ENDLESS = "it sends without an end"
HEADER = b"HTTP/1.1 200 OK\r\n"


@contextmanager
def at_most(memory: int) -> Iterator[None]:
    """Fail when the block takes more memory than that, in bytes."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < memory


def unit(folder: Path, probe: str, port: int, timeout: int = 5) -> Unit:
    secrets = folder / "secrets"
    secrets.write_text("PASSWORD='x'\n", encoding="utf-8")
    return Unit(
        name="one",
        service="one",
        program="python",
        argv=("python",),
        directory=str(folder),
        environment=(("INFRA_SECRETS_FILE", str(secrets)),),
        port=port,
        health=Health(probe, path="/health", timeout=timeout),  # type: ignore[arg-type]  # one of the table
    )


TALKS = {
    "a cache that says no line": ("redis", b"+", b"x"),
    "a cache that says one line": ("redis", b"+OK\r\n", b"x"),
    "a status line": ("http", b"HTTP/1.1 200 ", b"x"),
    "headers": ("http", HEADER, b"x: y\r\n"),
    "one header": ("http", HEADER + b"x: ", b"y"),
    "continuations": ("http", b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "headers of a continuation": ("answers", b"HTTP/1.1 100 Continue\r\n", b"x: y\r\n"),
}


@pytest.mark.parametrize(("probe", "beginning", "again"), TALKS.values(), ids=TALKS)
def test_a_server_that_talks_without_an_end_is_not_ready(
    tmp_path: Path, probe: str, beginning: bytes, again: bytes
) -> None:
    with endless(beginning, again) as port, at_most(LITTLE):
        fault = probes.fault(unit(tmp_path, probe, port))
    assert fault
    assert len(fault) < 200


def test_a_body_without_an_end_is_none_of_a_probes_business(tmp_path: Path) -> None:
    with endless(HEADER + b"\r\n") as port, at_most(LITTLE):
        assert probes.fault(unit(tmp_path, "http", port)) == ""


@pytest.mark.parametrize("probe", ["redis", "http"])
def test_a_server_that_drips_has_the_time_of_one_probe(tmp_path: Path, probe: str) -> None:
    with dripping() as url:
        port = int(url.rpartition(":")[2])
        assert probes.fault(unit(tmp_path, probe, port, timeout=1)) == "no answer in 1 s"


def test_a_cache_of_tests_that_talks_without_an_end_is_told(tmp_path: Path) -> None:
    del tmp_path
    with endless(b"+") as port, at_most(LARGEST), pytest.raises(Unreachable, match=ENDLESS):
        Cache("127.0.0.1", port, Secret("")).empty(1)


def test_smoke_reads_a_page_up_to_its_limit(tmp_path: Path) -> None:
    del tmp_path
    with endless(HEADER + b"\r\n") as port, at_most(LARGEST):
        answer = ask(f"http://127.0.0.1:{port}/", read_limit=1000)
    assert str(answer).startswith("200")


VAULTS: dict[str, bytes] = {
    "a body": HEADER + b"\r\n{",
    "a body of a length": HEADER + b"Content-Length: 99999999999\r\n\r\n{",
    "pieces": HEADER + b"Transfer-Encoding: chunked\r\n\r\nfffffff\r\n",
}


@pytest.mark.parametrize("beginning", VAULTS.values(), ids=VAULTS)
def test_a_vault_that_answers_without_an_end_is_told(beginning: bytes) -> None:
    with endless(beginning) as port:
        client = VaultClient(f"http://127.0.0.1:{port}", Secret("t"), pause=0.001)
        with at_most(LARGEST), pytest.raises(StoreError, match="longer than 16 MiB"):
            client.call("GET", "sys/health")


def test_a_supervisor_that_answers_without_an_end_is_told(tmp_path: Path) -> None:
    client, closed = Client(tmp_path, marks_of("c0ffee00")), "closed the connection"
    with (
        endless_socket(tmp_path / "supervisor.sock"),
        at_most(LARGEST),
        pytest.raises(CannotTell, match=closed),
    ):
        client.ask("hello")


def _sent(content: bytes) -> tuple[socket.socket, socket.socket]:
    ours, theirs = socket.socketpair()
    theirs.sendall(content)
    theirs.shutdown(socket.SHUT_WR)
    return ours, theirs


READS: dict[str, Callable[[socket.socket], object]] = {
    "lines": lambda peer: lines(peer, b"", 2, 5, most=100),
    "a wire": lambda peer: Wire(peer, time.monotonic() + 5, most=100).makefile("rb").read(),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_what_is_read_has_exactly_this_size(read: Callable[[socket.socket], object]) -> None:
    ours, theirs = _sent(b"a\n" + b"x" * 98)
    with ours, theirs:
        assert read(ours)
    ours, theirs = _sent(b"a\n" + b"x" * 99)
    with ours, theirs, pytest.raises(TooMuch, match=ENDLESS):
        read(ours)
