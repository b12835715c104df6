"""Passwords of the stores go to their own servers alone, also while somebody else sits on their port."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from infra.model.addresses import CACHE_SOCKET
from infra.model.errors import PortTaken
from infra.model.service import Health
from infra.model.unit import Unit
from infra.targets.postgres import connect
from infra.targets.process import door, probes, stores
from tests.doubles.listening import stranger

PASSWORD = "hunter2-of-the-cache"
NOBODY: dict[int, str] = {}


def authentication(code: int, more: bytes = b"") -> bytes:
    """Give PostgreSQL's request for a kind of login (protocol 3.0, message R)."""
    body = code.to_bytes(4, "big") + more
    return b"R" + (len(body) + 4).to_bytes(4, "big") + body


READY = b"Z\x00\x00\x00\x05I"


@pytest.mark.parametrize(
    "answer",
    [authentication(3), authentication(5, b"salt"), authentication(0) + READY],
    ids=["in clear", "as md5", "without one"],
)
def test_a_server_that_asks_for_less_than_proof_is_told_no_password(answer: bytes) -> None:
    with stranger(answer) as other, pytest.raises(psycopg.OperationalError, match="authentication"):
        connect(port=other.port, user="postgres", password=PASSWORD, dbname="postgres", connect_timeout=5)
    assert b"postgres" in other.heard, "it was asked"
    assert PASSWORD.encode() not in other.heard
    assert b"md5" not in other.heard


@pytest.fixture
def cache(tmp_path: Path) -> Unit:
    """The cache as it is started: with a socket in its data."""
    secrets = tmp_path / ".env"
    secrets.write_text(f"PASSWORD='{PASSWORD}'\n")
    return Unit(
        name="redis",
        service="redis",
        program="valkey",
        argv=("valkey-server", "--dir", str(tmp_path), "--unixsocket", CACHE_SOCKET),
        directory="/",
        environment=(("INFRA_SECRETS_FILE", str(secrets)),),
        port=1,
        health=Health("redis", timeout=3),
    )


@contextmanager
def serving(folder: Path, answer: bytes) -> Iterator[bytearray]:
    """Listen on the cache's socket in this folder; give what is heard there."""
    heard = bytearray()

    def serve(listener: socket.socket) -> None:
        with suppress(OSError):
            peer, _ = listener.accept()
            with peer:
                heard.extend(peer.recv(65536))
                peer.sendall(answer)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / CACHE_SOCKET))
        listener.listen()
        server = threading.Thread(target=serve, args=(listener,), daemon=True)
        server.start()
        try:
            yield heard
        finally:
            listener.shutdown(socket.SHUT_RDWR)  # wakes who waits in accept(), which would keep it open
            server.join()


def test_who_took_the_cache_s_port_while_it_is_away_hears_no_password(cache: Unit) -> None:
    with stranger(b"+OK\r\n+PONG\r\n") as other:
        assert probes.fault(replace(cache, port=other.port)) == "connection refused"
        assert not other.heard


def test_the_cache_is_asked_by_its_socket_and_on_its_port_without_a_login(
    cache: Unit, tmp_path: Path
) -> None:
    with serving(tmp_path, b"+OK\r\n+PONG\r\n") as heard, stranger(b"-NOAUTH first log in\r\n") as port:
        assert probes.fault(replace(cache, port=port.port)) == ""
    assert PASSWORD.encode() in heard
    assert bytes(port.heard) == probes.PING


def test_a_cache_whose_port_does_not_answer_is_not_ready(cache: Unit, tmp_path: Path) -> None:
    with serving(tmp_path, b"+OK\r\n+PONG\r\n"), stranger(b"-LOADING\r\n") as port:
        assert probes.fault(replace(cache, port=port.port)) == "answered -LOADING"


def test_a_cache_of_an_earlier_version_is_asked_without_a_login(cache: Unit) -> None:
    with stranger(b"-NOAUTH first log in\r\n") as other:
        assert probes.fault(replace(cache, argv=cache.argv[:3], port=other.port)) == ""
    assert bytes(other.heard) == probes.PING


def test_commands_take_the_cache_s_socket_and_its_port_only_while_its_own_server_has_no_other(
    tmp_path: Path,
) -> None:
    with stranger(b"") as other:
        assert stores.cache_door(tmp_path, other.port, lambda _: NOBODY).options["port"] == other.port
        with pytest.raises(PortTaken, match=r"held by squatter \(pid 7\): it is told no password"):
            stores.cache_door(tmp_path, other.port, lambda ports: {ports[0]: "squatter (pid 7)"})
        with serving(tmp_path, b""):
            assert "unix_socket_path" in stores.cache_door(tmp_path, other.port, lambda _: NOBODY).options
        # A server that was killed leaves the name behind, and the one before it had none.
        assert stores.cache_door(tmp_path, other.port, lambda _: NOBODY).options["port"] == other.port


def test_where_nobody_listens_the_port_is_no_way_in(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    way = stores.cache_door(tmp_path, port, lambda _: NOBODY)
    with pytest.raises(FileNotFoundError):
        way.connect(1)


def test_however_deep_the_data_lie_their_socket_is_reached(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a-folder-with-a-long-name"] * 5)
    deep.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{door.short(deep, 20)}/{CACHE_SOCKET}")
        listener.listen()
        with stores.CacheDoor(deep, 1).connect(1):
            pass
    name = stores.CacheDoor(deep, 1).options["unix_socket_path"]
    assert len(name) <= 107
    assert stores.database_socket(deep, 5432) == ""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{door.short(deep, 20)}/.s.PGSQL.5432")
        listener.listen()
        found = stores.database_socket(deep, 5432)
        assert subprocess.run(["test", "-S", f"{found}/.s.PGSQL.5432"], check=False).returncode == 0
    assert stores.database_socket(deep, 5432) == ""
