"""While a server restarts its port is anybody's; who takes it then hears no new password from us."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import neighbour
from tests.real.conftest import Checkout
from tests.real.kept import ever_stored, stored
from tests.waiting import until

pytestmark = pytest.mark.real
SQUATTER = """
import select, socket, sys
spot = ("127.0.0.1", int(sys.argv[1]))
while True:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(spot)
        listener.listen(64)
        break
    except OSError:
        listener.close()
print("TAKEN", flush=True)
peers = [listener]
while True:
    for one in select.select(peers, [], [])[0]:
        if one is listener:
            peers.append(one.accept()[0])
            continue
        try:
            said = one.recv(65536)
            one.sendall(b"+OK\\r\\n" * said.count(b"$4\\r\\n"))
        except OSError:
            said = b""
        if said:
            print(said, flush=True)
        else:
            peers.remove(one)
"""


@contextmanager
def squatting(port: int, heard: Path) -> Iterator[None]:
    """Have a neighbour spin on bind() until the port is his, and write down what is said to him."""
    with heard.open("w") as output:
        words = ("/usr/bin/python3", "-c", SQUATTER, str(port))
        clean = {"PATH": "/usr/bin:/bin"}
        process = subprocess.Popen(words, stdout=output, cwd="/", env=clean, **neighbour.identity())
    try:
        yield
    finally:
        process.kill()
        process.wait()


def test_who_takes_the_cache_s_port_during_a_rotation_hears_no_new_password(checkout: Checkout) -> None:
    checkout.settings("object_store: none\n")
    checkout.setup()
    heard = checkout.folder / "heard"
    before = stored(checkout, "redis")["PASSWORD"]
    with squatting(checkout.ports["redis"], heard):
        done = checkout.run("vault.rotate", "--service", "redis", "--key", "PASSWORD", "--yes")
        until(lambda: "TAKEN" in heard.read_text())
        status = checkout.run("finance_report.status")
    fresh = ever_stored(checkout, "redis", "PASSWORD") - {before}
    assert fresh, "the rotation came as far as a new value"
    assert [one for one in fresh if one in heard.read_text()] == [], done.err
    assert "Traceback" not in done.err + status.err
    checkout.setup()
    assert checkout.run("finance_report.status").code == 0
