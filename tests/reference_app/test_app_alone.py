"""With mock providers the application alone starts: nothing to log in to, nothing kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reference_app.running import App, Backend, started
from tests.reference_app.servers import PASSWORD
from tests.waiting import until

pytestmark = pytest.mark.real

ALICE = {"name": "alice", "password": PASSWORD}


@pytest.fixture
def alone(variables: dict[str, str], tmp_path: Path) -> Backend:
    """Give a backend whose environment names no store at all."""
    kept = {name: value for name, value in variables.items() if name.startswith(("PATH", "PYTHON"))}
    return Backend(kept | {"PROVIDERS": "mock"}, tmp_path / "alone.log")


def test_the_application_starts_alone_and_says_that_its_providers_are_mocked(alone: Backend) -> None:
    with alone.started() as app:
        said = app.get("/health?full=1").json()
    assert (said["status"], said["providers"]) == ("healthy", "mock")
    assert {entry["status"] for entry in said["dependencies"].values()} == {"ok"}


def test_it_keeps_the_books_for_as_long_as_it_lives(alone: Backend) -> None:
    account = {"code": "1000", "name": "Cash", "kind": "asset"}
    with alone.started() as app:
        session = {"Cookie": app.ask("POST", "/register", ALICE).headers["set-cookie"].split(";")[0]}
        assert app.ask("POST", "/accounts", account, session).status == 201
        assert upload(app, session) == 201
        assert app.get("/statements/files/a.csv", session).body == "content"
    with alone.started() as app:
        assert app.get("/accounts").json() == []


def upload(app: App, session: dict[str, str]) -> int:
    """Upload a file; give the status."""
    return app.ask("POST", "/statements/files/a.csv", headers=session, raw=b"content").status


@pytest.mark.parametrize("name", ["preview", "staging", "production"])
def test_mock_providers_never_serve_people(alone: Backend, name: str) -> None:
    with alone.started(variables={"ENV": name}, is_up=False) as app:
        assert app.process.wait(20) != 0
    assert "PROVIDERS=mock is for ENV=development and ENV=test" in alone.log.read_text()


def test_a_running_copy_reloads_what_is_saved(alone: Backend, release: Path) -> None:
    with started(release, "src.main:app", alone.environment, alone.log, flags=("--reload",)) as app:
        until(lambda: app.get("/ping").json() == {"state": "ping"})
        page = release / "src" / "ping.py"
        text = page.read_text()
        assert "await ledger.ping()" in text
        page.write_text(text.replace("await ledger.ping()", '"pong"'))
        until(lambda: answer_of(app) == {"state": "pong"}, 5)


def answer_of(app: App) -> object:
    """Give what /ping says, nothing while the server starts anew."""
    try:
        return app.get("/ping").json()
    except OSError:
        return None
