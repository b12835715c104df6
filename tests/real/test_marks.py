"""A neighbour whose process bears our marks: it changes no plan, gets no port and hears no password."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests import neighbour
from tests.needs import SYSTEM_PYTHON
from tests.real.conftest import Checkout, Done, kill
from tests.real.kept import stored
from tests.waiting import until

pytestmark = [pytest.mark.real, neighbour.needs_root]
# Answers each client as PostgreSQL does that wants the password in clear, and tells what it hears.
EAR = """
import socket, struct, sys
ear = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening", flush=True)
while True:
    peer = ear.accept()[0]
    peer.settimeout(2)
    try:
        print("heard", peer.recv(4096), flush=True)
        peer.sendall(b"R" + struct.pack("!ii", 8, 3))
        print("heard", peer.recv(4096), flush=True)
    except OSError:
        pass
    peer.close()
"""


def marks(checkout: Checkout, unit: str) -> dict[str, str]:
    """Give what stands in the environment of a unit of ours and is known to everybody."""
    own = {"INFRA_CHECKOUT": checkout.home_of_state.name, "INFRA_ENV": "local", "INFRA_UNIT": unit}
    return {**own, "INFRA_PROOF": "0" * 64, "PATH": "/usr/bin:/bin"}


@contextmanager
def borne_by_a_neighbour(checkout: Checkout, unit: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    child = neighbour.start(*words, env=marks(checkout, unit))
    try:
        yield child
        assert child.poll() is None, "it was ended"
    finally:
        kill(child)


def run(checkout: Checkout, *words: str, code: int = 0) -> Done:
    done = checkout.run(*words)
    assert done.code == code, done.out + done.err
    return done


def test_a_process_of_a_neighbour_with_our_marks_is_nobody_of_ours(checkout: Checkout) -> None:
    checkout.settings("object_store: none\n")
    checkout.setup()
    before = checkout.pids()
    with borne_by_a_neighbour(checkout, "backend", "/bin/sleep", "600") as stranger:
        assert "nothing to change" in run(checkout, "finance_report.plan").err
        assert run(checkout, "finance_report.setup", "--json").json["outcome"] == "nothing to do"
        told = [run(checkout, *words) for words in (["finance_report.status"], ["doctor"], ["cleanup.dev"])]
        assert not [done for done in told if f"pid {stranger.pid}" in done.out + done.err]
        assert checkout.pids() == before
        run(checkout, "finance_report.down")
        run(checkout, "finance_report.destroy", "--yes")


def test_a_neighbour_with_our_marks_on_the_port_of_a_database_that_is_down_hears_nothing(
    checkout: Checkout,
) -> None:
    checkout.settings("object_store: none\n")
    checkout.setup()
    run(checkout, "finance_report.down")
    port = checkout.ports["postgres"]
    with borne_by_a_neighbour(checkout, "postgres", SYSTEM_PYTHON, "-I", "-c", EAR, str(port)) as squatter:
        assert squatter.stdout
        assert squatter.stdout.readline() == "listening\n"
        checkout.settings(f"object_store: none\nports: {{postgres: {port}}}\n")
        held = run(checkout, "finance_report.setup", code=2).err
        assert f"port {port} for postgres is held by" in held
        assert f"(pid {squatter.pid})" in held
        checkout.settings("object_store: none\n")
        plan = run(checkout, "finance_report.setup").err
        assert "move ports" in plan
        assert checkout.ports["postgres"] != port
        until(lambda: checkout.health.get("status") == "healthy")
        heard = squatter.stdout
    said = heard.read()
    assert stored(checkout, "postgres")["POSTGRES_PASSWORD"] not in said
    assert said == ""
