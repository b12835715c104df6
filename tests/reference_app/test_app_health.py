"""The contract of /health, with everything up and with each dependency down."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psutil
import pytest

from tests.reference_app.running import SHA, App, Backend
from tests.reference_app.servers import PASSWORD, Postgres, Store, Valkey
from tests.waiting import until

pytestmark = pytest.mark.real

PROBE_LIMIT = 4.0  # seconds that a container's health check waits


def test_health_answers_status_commit_and_version(shared_app: App) -> None:
    answer = shared_app.get("/health")
    assert (answer.status, answer.json()) == (
        200,
        {"status": "healthy", "git_sha": SHA, "version": "v1.2.3"},
    )


def test_full_health_has_an_entry_for_each_dependency_and_skips_what_is_not_set(shared_app: App) -> None:
    answer = shared_app.get("/health?full=1")
    entries = answer.json()["dependencies"]
    assert answer.status == 200
    assert all(isinstance(entry["ms"], float) for entry in entries.values())
    assert {name: (entry["status"], entry["required"]) for name, entry in entries.items()} == {
        "postgres": ("ok", True),
        "redis": ("ok", True),
        "s3": ("skipped", False),
        "ai": ("skipped", False),
    }


@pytest.mark.parametrize("how", [signal.SIGQUIT, signal.SIGKILL])
@pytest.mark.parametrize("name", ["postgres", "valkey"])
def test_a_store_that_is_down_makes_it_unhealthy_until_the_store_is_back(
    app: App, postgres: Postgres, valkey: Valkey, name: str, how: signal.Signals
) -> None:
    store = store_of(name, postgres, valkey)
    assert app.health() == (200, "healthy")
    with store.down(how):
        assert app.health() == (503, "unhealthy")
        full = app.get("/health?full=1")
        down = [key for key, entry in full.json()["dependencies"].items() if entry["status"] == "error"]
        assert (full.status, down) == (503, [{"postgres": "postgres", "valkey": "redis"}[name]])
        assert app.get("/ping").status == (503 if name == "postgres" else 200)
    until(lambda: app.health() == (200, "healthy"))
    assert app.get("/ping").status == 200


@pytest.mark.parametrize("name", ["postgres", "valkey"])
def test_a_frozen_store_is_named_before_the_probe_gives_up(
    app: App, postgres: Postgres, valkey: Valkey, name: str
) -> None:
    store = store_of(name, postgres, valkey)
    assert store.process
    assert app.health() == (200, "healthy")
    with frozen(store.process.pid):
        started = time.monotonic()
        assert app.health() == (503, "unhealthy")
        assert time.monotonic() - started < PROBE_LIMIT
    until(lambda: app.health() == (200, "healthy"))


def store_of(name: str, postgres: Postgres, valkey: Valkey) -> Store:
    """Give the store of that name."""
    stores: dict[str, Store] = {"postgres": postgres, "valkey": valkey}
    return stores[name]


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Stop a process and its children for as long as the block runs."""
    parent = psutil.Process(pid)
    family = [parent, *parent.children(recursive=True)]
    try:
        for one in family:
            one.suspend()
        yield
    finally:
        for one in family:
            one.resume()


def test_the_backend_starts_while_its_stores_are_down_and_says_so(
    backend: Backend, postgres: Postgres, valkey: Valkey
) -> None:
    with postgres.down(signal.SIGQUIT), valkey.down(signal.SIGTERM), backend.started() as app:
        assert app.health() == (503, "unhealthy")


class Provider(BaseHTTPRequestHandler):
    """Answers with the status that the address names."""

    disable_nagle_algorithm = True
    seen: list[tuple[str, str, str]] = []  # noqa: RUF012  # one server a test process

    def do_HEAD(self) -> None:
        """Answer a question about a bucket."""
        self.do_GET()

    def do_GET(self) -> None:
        """Answer with the status that the path begins with."""
        self.seen.append((self.command, self.path, self.headers["Authorization"]))
        self.send_response(int(self.path.split("/")[1]))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """Give the address of a provider."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Provider) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


PROVIDERS = [
    # s3 answers, ai answers, health is, then what s3 and ai are
    ("200", "200", 200, "ok", "ok"),
    ("403", "200", 503, "error: HTTP 403", "ok"),
    ("404", "200", 503, "error: HTTP 404", "ok"),
    ("200", "401", 200, "ok", "error: HTTP 401"),
]


@pytest.mark.parametrize(("s3", "ai", "code", "s3_state", "ai_state"), PROVIDERS)
def test_the_object_store_is_required_where_it_is_set_and_the_ai_provider_never(
    backend: Backend, provider: str, s3: str, ai: str, code: int, s3_state: str, ai_state: str
) -> None:
    keys = {"S3_ACCESS_KEY": "access", "S3_SECRET_KEY": PASSWORD, "OPENROUTER_API_KEY": "openrouter-key"}
    urls = {"S3_ENDPOINT": provider, "S3_BUCKET": s3, "OPENROUTER_URL": f"{provider}/{ai}"}
    Provider.seen.clear()
    with backend.started(variables=keys | urls) as app:
        assert app.health() == (200, "healthy")
        answer = app.get("/health?full=1")
    entries = answer.json()["dependencies"]
    said = [": ".join(filter(None, [entry["status"], entry.get("reason")])) for entry in entries.values()]
    assert (answer.status, said) == (code, ["ok", "ok", s3_state, ai_state])
    assert "openrouter-key" not in answer.body + backend.log.read_text()
    (ai_asked, s3_asked) = sorted(Provider.seen)
    assert ai_asked == ("GET", f"/{ai}/key", "Bearer openrouter-key")
    assert s3_asked[:2] == ("HEAD", f"/{s3}")
    assert s3_asked[2].startswith("AWS4-HMAC-SHA256 Credential=access/")


def test_good_answers_of_health_stay_out_of_the_log(app: App) -> None:
    app.health()
    assert app.get("/nowhere").status == 404
    app.stop()
    assert "/health" not in app.log.read_text()
    assert "/nowhere" in app.log.read_text()
