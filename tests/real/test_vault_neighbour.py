"""A neighbour on the port of a killed Vault hears no token; its agents are ended, and told."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from tests import neighbour
from tests.doubles.http_server import Certificate, self_signed
from tests.real.conftest import Checkout, kill
from tests.real.vault_rehearsal import Rehearsal
from tests.waiting import until

pytestmark = pytest.mark.real("VT")
AGENT = "redis-vault-agent"
# The certificate is good for the address, and no root that anybody here pins has made it.
EAR = """
import os, socket, ssl, sys
port, uid, certificate, key = sys.argv[1:]
context = None
if certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
os.setuid(int(uid))
ear = socket.create_server(("127.0.0.1", int(port)))
print("listening", flush=True)
while True:
    peer = ear.accept()[0]
    try:
        peer.settimeout(2)
        heard = (context.wrap_socket(peer, server_side=True) if context else peer).recv(65536)
    except OSError as error:
        heard = type(error).__name__
    print("heard", heard, flush=True)
    peer.close()
"""


@pytest.fixture
def staging(checkout: Checkout) -> Iterator[Rehearsal]:
    rehearsal = Rehearsal(checkout)
    rehearsal.start()
    rehearsal.deliver("postgres", "redis")
    done = rehearsal.run("redis.setup")
    assert done.code == 0, done.err
    yield rehearsal
    rehearsal.end(signal.SIGTERM)


@contextmanager
def listening(rehearsal: Rehearsal, pair: Certificate | None) -> Iterator[subprocess.Popen[str]]:
    """Take the port of the Vault as another account."""
    port = str(urlsplit(rehearsal.entry["address"]).port)
    files = (str(pair.certificate), str(pair.key)) if pair else ("", "")
    uid = neighbour.NEIGHBOUR if neighbour.identity() else psutil.Process().uids().real
    argv = [sys.executable, "-c", EAR, port, str(uid), *files]
    ear = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    try:
        assert ear.stdout
        assert ear.stdout.readline() == "listening\n"
        yield ear
    finally:
        kill(ear)


def _killed(rehearsal: Rehearsal) -> None:
    server = psutil.Process(rehearsal.entry["pid"])
    assert rehearsal.window is not None
    rehearsal.window.kill()
    rehearsal.window.wait()
    rehearsal.window = None
    kill(server)


def _says_it_all_again(rehearsal: Rehearsal) -> None:
    """Have the agent start anew: it revokes the token that it has, and logs in with its secret id."""
    first = rehearsal.checkout.processes()[AGENT][0]
    kill(first)
    until(lambda: rehearsal.checkout.processes().get(AGENT, [first])[0] != first)


def _secrets(rehearsal: Rehearsal) -> list[str]:
    """Give what the agent could tell: its token, and its secret id."""
    folders = (rehearsal.places.agent_token("redis"), rehearsal.places.credential("redis"))
    files = (Path(folders[0]) / ".token", Path(folders[1]) / "secret_id")
    return [file.read_text(encoding="utf-8") for file in files]


@pytest.mark.parametrize("with_tls", [False, True], ids=["plain", "TLS"])
def test_a_neighbour_on_the_port_of_a_killed_vault_hears_no_token(
    staging: Rehearsal, tmp_path: Path, with_tls: bool
) -> None:
    secrets = _secrets(staging)
    _killed(staging)
    with listening(staging, self_signed(tmp_path) if with_tls else None) as ear:
        _says_it_all_again(staging)
        assert ear.stdout
        heard = [ear.stdout.readline() for _ in range(3)]
    assert [line.split()[0] for line in heard] == ["heard"] * 3
    spoken = ("X-Vault-Token", "HTTP/1.1", *secrets)
    assert not [word for word in spoken for line in heard if word in line]
    if with_tls:
        assert set(heard) == {"heard SSLError\n"}


def test_the_agents_of_a_killed_vault_are_told_and_the_next_command_ends_them(staging: Rehearsal) -> None:
    _killed(staging)
    before = staging.checkout.pids()
    status = staging.run("status")
    assert (status.code, "still asks a Vault that is gone" in status.out) == (1, True)
    next_step = "→ ./inv vault.dev --env staging, and begin anew: ./inv finance_report.destroy --env staging"
    assert status.err.splitlines()[-1].startswith(next_step)
    assert staging.checkout.pids() == before
    staging.start()
    assert f"ending postgres-vault-agent, {AGENT}: the Vault that they ask is gone" in staging.said
    assert staging.checkout.pids() == _consumers(before)


def test_a_vault_that_is_ended_takes_its_agents_along_and_leaves_who_reads_what_they_rendered(
    staging: Rehearsal,
) -> None:
    before = staging.checkout.pids()
    assert staging.end(signal.SIGHUP) == 129
    assert staging.checkout.pids() == _consumers(before)
    status = staging.run("status", "--json")
    assert status.json["facts"]["units"]["redis"] == "OK"
    assert status.json["facts"]["units"][AGENT] == "FAIL ended with its Vault; what it rendered stays"
    assert staging.rendered("redis").exists()


def _consumers(pids: dict[str, int]) -> dict[str, int]:
    return {name: pid for name, pid in pids.items() if not name.endswith("-vault-agent")}
