"""All that listens: stores refuse whoever shows no login, and the rest has its one port and no other."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import psutil
import psycopg
import pytest

from infra.targets.process.certificates import self_signed
from tests import neighbour
from tests.real.conftest import Checkout
from tests.real.test_object_store import CONTENT, FILE, LOGIN, ask, keys_of

pytestmark = pytest.mark.real
WEB = "https://page.example.test"
# RFC 9113 3.4: this asks for an answer.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)
SHOWN = {
    "minio": {"/status", "/healthz"},  # that it lives
    "minio_master": {"/", "/ui/index.html", "/healthz", "/cluster/status"},  # how full its volumes are
    "minio_volume": {"/status", "/healthz"},  # the same
    "minio_filer": set(),
    "minio_admin": {"/health", "/metrics"},  # that it lives, and what it counts
}
PAGES = (
    *("/", "/status", "/healthz", "/health", "/metrics", "/cluster/status", "/dir/status", "/vol/status"),
    *("/buckets/", "/buckets/statements/?pretty=y", "/statements?list-type=2", "/api/users", "/login"),
    *("/dir/assign", "/vol/grow?count=1", "/col/delete?collection=statements", "/1,01637037d6", "/.tus/"),
    *("/etc/iam/identity.json", "/debug/pprof/", "/ui/index.html", "/topics/", "/submit"),
)
CONNECT = """
import os, socket, sys
os.setgroups([])
os.setgid(int(sys.argv[2]))
os.setuid(int(sys.argv[2]))
socket.socket(socket.AF_UNIX).connect(sys.argv[1])
"""


@pytest.fixture(scope="module")
def stack(shared_checkout: Checkout) -> Checkout:
    """A stack with a file of a customer in it."""
    shared_checkout.setup()
    cookie = ask(shared_checkout, "/api/register", LOGIN)[2]
    assert ask(shared_checkout, FILE, CONTENT, cookie)[0] == 201
    return shared_checkout


def answered(
    port: int, path: str, method: str = "GET", body: bytes = b"", wish: str = "GET"
) -> tuple[int, str]:
    """Give status, and body with headers, of what a stranger asks."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, path, body, {"Origin": WEB, "Access-Control-Request-Method": wish})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace") + str(answer.headers)
    finally:
        connection.close()


def postgres(port: int) -> None:
    for user in ("postgres", "finance_report_app"):
        with pytest.raises(psycopg.OperationalError, match="no password supplied"):
            psycopg.connect(host="127.0.0.1", port=port, user=user, dbname="postgres", connect_timeout=5)


def redis(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), 5) as client:
        client.sendall(b"GET a\r\n")
        assert client.recv(100).startswith(b"-NOAUTH")


def web(shown: set[str], port: int) -> None:
    """Nothing is told but the pages of the table, and no method that changes something is heard."""
    told = {path for path in PAGES if answered(port, path)[0] < http.client.BAD_REQUEST}
    assert told <= shown
    for method in ("PUT", "POST", "DELETE", "PATCH"):
        for path in ("/buckets/statements/uploads/January.csv", "/1,01637037d6", "/statements/January.csv"):
            assert answered(port, path, method, b"theirs")[0] >= http.client.BAD_REQUEST


def grpc(port: int) -> None:
    """Plain HTTP/2 gets no answer, nor does TLS without a certificate or with one that a stranger made."""
    with socket.create_connection(("127.0.0.1", port), 5) as client:
        client.sendall(PREFACE)
        assert client.recv(100)[3:4] != b"\x04", "the server speaks HTTP/2 with anybody"
    for certificate in ("", self_signed("minio")):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            _over_tls(port, certificate)


def _over_tls(port: int, certificate: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    if certificate:
        file = Path(os.devnull).parent / "shm" / f"stranger-{os.getpid()}.pem"
        file.write_text(certificate, encoding="utf-8")
        context.load_cert_chain(file)
        file.unlink()
    with socket.create_connection(("127.0.0.1", port), 5) as plain, context.wrap_socket(plain) as client:
        client.sendall(PREFACE)
        if not client.recv(100):
            raise ConnectionResetError


REFUSES: Mapping[str, Callable[[int], None]] = {
    "postgres": postgres,
    "redis": redis,
    **{name: partial(web, shown) for name, shown in SHOWN.items()},
    **{f"minio_{name}": grpc for name in ("grpc", "master_grpc", "volume_grpc", "filer_grpc", "admin_grpc")},
}


@pytest.mark.parametrize("name", REFUSES)
def test_a_port_of_a_store_refuses_whoever_shows_no_login(stack: Checkout, name: str) -> None:
    REFUSES[name](stack.ports[name])


def test_each_unit_listens_on_the_ports_that_are_recorded_for_it_and_on_no_other(stack: Checkout) -> None:
    numbers: dict[str, set[int]] = {}
    for name, port in stack.ports.items():
        numbers.setdefault(name.partition("_")[0], set()).add(port)
    heard: dict[str, set[tuple[str, int]]] = {}
    for unit, process in every(stack):
        for one in process.net_connections("inet"):
            is_open = one.status == psutil.CONN_LISTEN or one.type == socket.SOCK_DGRAM
            if is_open and one.laddr:
                heard.setdefault(unit, set()).add((one.laddr.ip, one.laddr.port))
                assert one.type == socket.SOCK_STREAM, f"{unit} takes datagrams on {one.laddr}"
    assert heard == {unit: {("127.0.0.1", port) for port in numbers[unit]} for unit in heard}
    assert heard.keys() == {"postgres", "redis", "minio", "router", "backend", "frontend"}
    assert {unit: len(found) for unit, found in heard.items() if unit != "minio"} == dict.fromkeys(
        ("postgres", "redis", "router", "backend", "frontend"), 1
    )


def test_nobody_else_connects_to_a_socket_of_ours(stack: Checkout) -> None:
    places = {
        Path(process.cwd(), str(one.laddr))
        for _, process in (*every(stack), *(("", one) for one in stack.supervisors()))
        for one in process.net_connections("unix")
        if one.laddr
    }
    assert {place.name for place in places} >= {"s3.sock", "filer.sock"}
    for place in places:
        if os.getuid() == 0:
            argv = [sys.executable, "-c", CONNECT, str(place), str(neighbour.NEIGHBOUR)]
            done = subprocess.run(argv, capture_output=True, text=True, check=False)
            assert "PermissionError" in done.stderr, place
        else:
            assert not place.stat().st_mode & 0o007, place


def test_a_web_page_may_not_ask_the_object_store(stack: Checkout) -> None:
    for name in SHOWN:
        status, said = answered(stack.ports[name], "/statements/January.csv", "OPTIONS", wish="PUT")
        # The volume server's consent is built in, and worth nothing without its token.
        assert status >= http.client.BAD_REQUEST or name == "minio_volume", said
        assert WEB not in said


def test_the_object_stores_own_shell_gets_neither_login_nor_file(stack: Checkout) -> None:
    weed = Path(sys.prefix, "bin/weed")
    master, filer = (
        f"127.0.0.1:{stack.ports[f'minio_{name}']}.{stack.ports[f'minio_{name}_grpc']}"
        for name in ("master", "filer")
    )
    argv = [str(weed), "shell", f"-master={master}", f"-filer={filer}"]
    wish = "s3.configure\nfs.ls /buckets/statements\n"
    try:
        said = subprocess.run(argv, input=wish, capture_output=True, text=True, timeout=4, check=False).stdout
    except subprocess.TimeoutExpired as error:  # it asks on and on
        said = (error.stdout or b"").decode()
    assert "uploads" not in said
    assert not any(key.reveal() in said for key in keys_of(stack, "minio").values())


def every(checkout: Checkout) -> Iterator[tuple[str, psutil.Process]]:
    """Give each process of each unit."""
    for unit, pid in checkout.pids().items():
        process = psutil.Process(pid)
        yield from ((unit, one) for one in (process, *process.children(recursive=True)))
