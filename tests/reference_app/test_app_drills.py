"""Each mode of misbehave.json does what the README says of it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.reference_app.running import BACKEND, SHA, Backend
from tests.reference_app.servers import Postgres, accepts
from tests.waiting import until

pytestmark = pytest.mark.real

CRASHED = 3
SECONDS = 0.6


def misbehave(release: Path, mode: str, seconds: float | None = None) -> Path:
    """Give the release with this drill in it."""
    drill = {"mode": mode} | ({} if seconds is None else {"seconds": seconds})
    (release / "misbehave.json").write_text(json.dumps(drill))
    return release


def test_the_reference_application_ships_without_a_drill() -> None:
    assert not (BACKEND / "misbehave.json").exists()


ANSWERS = [
    ("unhealthy", 503, "unhealthy", SHA),
    ("lying_health", 200, "unhealthy", SHA),
    ("wrong_version", 200, "healthy", "0" * 40),
]


@pytest.mark.parametrize(("mode", "code", "status", "git_sha"), ANSWERS)
def test_health_lies_as_asked_and_everything_else_works(
    backend: Backend, release: Path, mode: str, code: int, status: str, git_sha: str
) -> None:
    with backend.started(misbehave(release, mode)) as app:
        for path, sent in [("/health", {}), ("/health?full=1", {"X-Forwarded-Prefix": "/api"})]:
            answer = app.get(path, sent)
            assert (answer.status, answer.json()["status"], answer.json()["git_sha"]) == (
                code,
                status,
                git_sha,
            )
        assert app.get("/ping").status == 200


def test_a_drill_may_begin_after_the_release_was_well(backend: Backend, release: Path) -> None:
    with backend.started(misbehave(release, "unhealthy", SECONDS)) as app:
        assert app.health() == (200, "healthy")
        until(lambda: app.health() == (503, "unhealthy"), SECONDS + 2)


def test_slow_start_listens_late_and_serves_well(backend: Backend, release: Path) -> None:
    began = time.monotonic()
    with backend.started(misbehave(release, "slow_start", 2)) as app:
        assert time.monotonic() - began >= 2
        assert app.health() == (200, "healthy")


def test_hang_never_answers_health_and_still_lets_the_process_end(backend: Backend, release: Path) -> None:
    with backend.started(misbehave(release, "hang")) as app:
        with pytest.raises(TimeoutError):
            app.ask("GET", "/health", timeout=SECONDS)
        assert app.get("/ping").status == 200
        app.stop()


def test_crash_loop_ends_the_process_before_it_serves(backend: Backend, release: Path) -> None:
    with backend.started(misbehave(release, "crash_loop"), is_up=False) as app:
        assert app.process.wait(20) == CRASHED
        assert not accepts(app.port)
        assert "drill" in app.log.read_text()


def test_crash_loop_with_seconds_serves_first(backend: Backend, release: Path) -> None:
    with backend.started(misbehave(release, "crash_loop", SECONDS)) as app:
        assert app.health() == (200, "healthy")
        assert app.process.wait(SECONDS + 5) == CRASHED


def test_crash_on_request_ends_the_process_when_ping_is_asked(backend: Backend, release: Path) -> None:
    with backend.started(misbehave(release, "crash_on_request")) as app:
        assert app.health() == (200, "healthy")
        with pytest.raises(OSError, match="closed"):
            app.get("/ping")
        assert app.process.wait(5) == CRASHED


def test_a_failing_migration_fails_before_it_touches_the_database(
    unmigrated: Backend, release: Path, postgres: Postgres, empty_database: str
) -> None:
    done = unmigrated.alembic("upgrade", "head", folder=misbehave(release, "failing_migration"))
    assert done.returncode != 0
    assert "fails on purpose" in done.stderr
    assert postgres.query("SELECT to_regclass('alembic_version') IS NULL", empty_database) == "t"


def test_an_unknown_mode_stops_the_start_instead_of_passing_for_a_good_release(
    backend: Backend, release: Path
) -> None:
    with backend.started(misbehave(release, "unhealty"), is_up=False) as app:
        assert app.process.wait(20) != 0
        assert "mode must be one of" in app.log.read_text()
