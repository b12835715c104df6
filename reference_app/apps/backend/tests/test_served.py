"""The application as a process of its own, as a person meets it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from asking import CASH, SALES, sale

BACKEND = Path(__file__).parents[1]
ALICE = {"name": "alice", "password": "long enough to be one"}

pytestmark = pytest.mark.e2e


@pytest.fixture
def person(variables: dict[str, str]) -> Iterator[httpx.Client]:
    """Somebody who is logged in, before a running server; without Redis it keeps all in its memory."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    mocked = {} if os.environ.get("REDIS_URL") else {"PROVIDERS": "mock"}
    command = [sys.executable, "-m", "uvicorn", "src.main:app", "--port", str(port)]
    server = subprocess.Popen(command, cwd=BACKEND, env=os.environ | variables | mocked)
    address = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=address, headers={"Origin": address}) as client:
        try:
            _until_it_listens(client, server)
            assert client.post("/register", json=ALICE).status_code == 201
            yield client
        finally:
            server.terminate()
            server.wait(10)


def _until_it_listens(client: httpx.Client, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and server.poll() is None:
        try:
            client.get("/ping")
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the server does not listen")


def test_a_person_books_a_sale_and_finds_it_again(person: httpx.Client) -> None:
    for path, body in [("/accounts", CASH), ("/accounts", SALES), ("/journal", sale())]:
        assert person.post(path, json=body).status_code == 201
    assert person.get("/journal").json()[0]["description"] == "Sale"
    assert person.get("/docs").status_code == 200
