"""What a stranger can make the application hold: measured at the process, whatever they send."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import finance_report
from tests.reference_app.running import App, Backend
from tests.reference_app.servers import PASSWORD

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read in /proc"),
]
MIB = 1024 * 1024
LARGE = 60 * MIB
ALICE = {"name": "alice", "password": PASSWORD}
MORE_MIB = 8  # what a body that is refused may take beyond what is held anyway
AT_ONCE = 64


def peak_mib(app: App) -> int:
    """Give the most memory that the process ever held."""
    lines = Path(f"/proc/{app.process.pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024


def limit_mib() -> int:
    parts = (part for service in finance_report.PROJECT.services for part in service.parts)
    return next(part.limits.memory_mib for part in parts if part.name == "backend")


def pushed(app: App, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    """Give the answer to a body that does not say its length."""
    connection = http.client.HTTPConnection("127.0.0.1", app.port, timeout=30)
    pieces = (b'{"code": "' + b"x" * MIB for _ in range(LARGE // MIB))
    try:
        connection.request("POST", path, pieces, headers, encode_chunked=True)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """Give a backend of its own, whose stores are in its memory too."""
    kept = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "PROVIDERS": "mock"}
    with Backend(kept, tmp_path / "backend.log").started() as running:
        yield running


@pytest.fixture
def session(app: App) -> dict[str, str]:
    """Give the headers of somebody who is logged in."""
    cookie = app.ask("POST", "/register", ALICE).headers["set-cookie"].split(";")[0]
    return {"Cookie": cookie, "Origin": app.address}


@pytest.mark.parametrize("path", ["/accounts", "/login", "/ping/toggle", "/statements/files/a.csv"])
def test_a_body_of_60_mb_is_refused_and_neither_held_nor_sent_back(
    app: App, session: dict[str, str], path: str
) -> None:
    app.ask("POST", "/login", ALICE)
    before = peak_mib(app)
    whole = app.ask("POST", path, headers=session, raw=b'{"code": "' + b"x" * LARGE)
    assert (whole.status, len(whole.body) < 200) == (413, True)
    if path != "/ping/toggle":  # it reads none
        status, said = pushed(app, path, session | {"Transfer-Encoding": "chunked"})
        assert (status, len(said) < 200) == (413, True)
    assert peak_mib(app) <= before + (MORE_MIB if "files" not in path else 2 * 5 + MORE_MIB)


def test_what_many_do_at_once_fits_the_limit_of_its_container(app: App, session: dict[str, str]) -> None:
    file, login = b"x" * 5 * MIB, json.dumps(ALICE).encode()
    asked = [("/login", login, {"Content-Type": "application/json"}), ("/statements/files/a.csv", file, {})]

    def ask(number: int) -> int:
        path, body, kind = asked[number % 2]
        return app.ask("POST", path, headers=session | kind, raw=body, timeout=60).status

    with ThreadPoolExecutor(AT_ONCE) as people:
        codes = set(people.map(ask, range(2 * AT_ONCE)))
    assert codes == {200, 201}
    assert peak_mib(app) < limit_mib() // 2
