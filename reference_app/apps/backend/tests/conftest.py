"""The database of this worker, and the application over it or over memory."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
import pytest
from asking import connected, served
from doubles import ObjectStore, object_store
from ownership import MAIN_WORKER, refuse_foreign

from src import cache, memory

BACKEND = Path(__file__).parents[1]
PLUGIN = "finance_report.pytest_plugin"
SHA = "0123456789abcdef0123456789abcdef01234567"
TABLES = "users, statements, journal_lines, journal_entries, accounts"
UNUSED = "redis://127.0.0.1:1"  # where the run has no Redis, memory stands in and nobody asks there

# Drills harm the run: they are no part of it unless they are asked for by name.
collect_ignore = [] if os.environ.get("TEST_DRILL") else ["drills"]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def worker(request: pytest.FixtureRequest) -> str:
    """The name of this worker: `master` or `gw<number>`."""
    return getattr(request.config, "workerinput", {}).get("workerid", MAIN_WORKER)


@pytest.fixture(scope="session")
def place(request: pytest.FixtureRequest, worker: str) -> str:
    """The address of this worker's own database, migrated: of the plug-in, else DATABASE_URL."""
    has_plugin = request.config.pluginmanager.has_plugin(PLUGIN)
    url = request.getfixturevalue("database_url") if has_plugin else os.environ.get("DATABASE_URL", "")
    refuse_foreign(url, worker)
    if not asyncio.run(_is_migrated(url)):
        command = [sys.executable, "-m", "alembic", "upgrade", "head"]
        subprocess.run(command, check=True, cwd=BACKEND, env={**os.environ, "DATABASE_URL": url})
    return url


async def _is_migrated(url: str) -> bool:
    async with connected(url) as connection:
        return await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL")


@pytest.fixture
def emptied(place: str) -> str:
    """This worker's database, with every table empty and every number at its start."""
    asyncio.run(_empty(place))
    return place


async def _empty(url: str) -> None:
    async with connected(url) as connection:
        await connection.execute(f"TRUNCATE {TABLES} RESTART IDENTITY")
        await connection.execute("UPDATE ping SET state = 'ping'")


@pytest.fixture
async def database(emptied: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the emptied database, beside the application's own."""
    async with connected(emptied) as connection:
        yield connection


@pytest.fixture
def variables(emptied: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the application's environment holds over an empty database. Without Redis, memory stands in."""
    if not os.environ.get("REDIS_URL"):
        monkeypatch.setattr(cache, "opened", _in_memory)
    return {
        "ENV": "test",
        "DATABASE_URL": emptied,
        "REDIS_URL": os.environ.get("REDIS_URL") or UNUSED,
        "GIT_COMMIT_SHA": SHA,
        "PUBLIC_URL": "http://test",
    }


@asynccontextmanager
async def _in_memory(_: str) -> AsyncIterator[cache.Cache]:
    yield memory.MemoryCache()


@pytest.fixture
def store() -> Iterator[ObjectStore]:
    """An object store that can be told to refuse."""
    with object_store() as running:
        yield running


@pytest.fixture
def s3(store: ObjectStore) -> dict[str, str]:
    """The variables that name a bucket: the run's own where it has one, else the double's."""
    names = ("S3_ENDPOINT", "S3_ACCESS_KEY", "S3_SECRET_KEY", "S3_BUCKET")
    if os.environ.get("S3_ENDPOINT"):
        return {name: os.environ[name] for name in names}
    return dict(zip(names, (store.address, "access", "secret", "statements"), strict=True))


@pytest.fixture
async def client(variables: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    """The application over this worker's database, without an object store."""
    async with served(variables) as browser:
        yield browser


@pytest.fixture(params=["postgres", "memory"])
async def either(
    request: pytest.FixtureRequest,
    variables: dict[str, str],
) -> AsyncIterator[httpx.AsyncClient]:
    """The application over each ledger: both keep the same promises."""
    mocked = {"PROVIDERS": "mock", "PUBLIC_URL": "http://test"}
    async with served(variables if request.param == "postgres" else mocked) as browser:
        yield browser
