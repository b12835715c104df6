"""Each drill of misbehave.json, in this process."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from asking import served

from src import misbehave


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The exit codes with which the process would have ended."""
    codes: list[int] = []
    monkeypatch.setattr("os._exit", codes.append)
    return codes


@pytest.fixture(autouse=True)
def drill(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where this test puts its drill; the release around it has none."""
    monkeypatch.setattr(misbehave, "FILE", tmp_path / "misbehave.json")
    monkeypatch.setenv("GIT_COMMIT_SHA", "1" * 40)
    return misbehave.FILE


@pytest.mark.parametrize(
    ("mode", "code", "status", "git_sha"),
    [
        ("unhealthy", 503, "unhealthy", "1" * 40),
        ("lying_health", 200, "unhealthy", "1" * 40),
        ("wrong_version", 200, "healthy", "0" * 40),
    ],
)
async def test_health_lies_as_asked_and_the_rest_works(
    drill: Path, mode: str, code: int, status: str, git_sha: str
) -> None:
    drill.write_text(json.dumps({"mode": mode}))
    async with served({"PROVIDERS": "mock"}) as client:
        answer = await client.get("/health")
        ping = await client.get("/ping")
    said = answer.json()
    assert (answer.status_code, said["status"], said["git_sha"]) == (code, status, git_sha)
    assert ping.status_code == 200


async def test_hang_answers_nothing(drill: Path) -> None:
    drill.write_text(json.dumps({"mode": "hang"}))
    async with served({"PROVIDERS": "mock"}) as client:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.get("/health"), 0.05)


async def test_a_drill_begins_after_its_seconds(drill: Path) -> None:
    drill.write_text(json.dumps({"mode": "unhealthy", "seconds": 60}))
    async with served({"PROVIDERS": "mock"}) as client:
        assert (await client.get("/health")).json()["status"] == "healthy"


async def start(drill: misbehave.Drill) -> bool:
    """Start an application with this drill; True when it began to serve."""
    began = []

    async def app(*_: object) -> None:
        began.append(True)

    await misbehave.Misbehave(app, drill)({"type": "lifespan"}, None, None)
    return began == [True]


async def test_a_crash_loop_ends_the_start_or_waits_its_seconds(ended: list[int]) -> None:
    await start(misbehave.Drill("crash_loop"))
    assert ended == [3]
    assert await start(misbehave.Drill("crash_loop", 0.01))
    await asyncio.wait_for(_until(lambda: ended == [3, 3]), 5)


async def _until(condition) -> None:  # noqa: ANN001
    while not condition():
        await asyncio.sleep(0.01)


async def test_a_slow_start_starts(ended: list[int]) -> None:
    assert await start(misbehave.Drill("slow_start", 0.01))
    assert ended == []


async def test_crash_on_request_waits_for_a_ping(ended: list[int]) -> None:
    async def answer(*_: object) -> None:
        pass

    drill = misbehave.Misbehave(answer, misbehave.Drill("crash_on_request"))
    for path in ("/health", "/accounts"):
        await drill({"type": "http", "path": path}, None, None)
    assert ended == []
    await drill({"type": "http", "path": "/api/ping", "root_path": "/api"}, None, None)
    assert ended == [3]


def test_a_failing_migration_fails_and_the_others_do_not(drill: Path) -> None:
    misbehave.before_migrations()
    drill.write_text(json.dumps({"mode": "unhealthy"}))
    misbehave.before_migrations()
    drill.write_text(json.dumps({"mode": "failing_migration"}))
    with pytest.raises(RuntimeError, match="on purpose"):
        misbehave.before_migrations()


def test_an_unknown_mode_is_refused(drill: Path) -> None:
    drill.write_text(json.dumps({"mode": "unhealty"}))
    with pytest.raises(ValueError, match="mode must be one of"):
        misbehave.wanted()
