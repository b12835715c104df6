"""The servers of a test session, and a database of its own for each test that asks."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reference_app.running import BACKEND, FRONTEND, SHA, App, Backend, started
from tests.reference_app.servers import Postgres, Valkey

numbers = itertools.count(1)


@pytest.fixture(scope="session")
def session_folder() -> Iterator[Path]:
    """Give a folder that every user may walk into: PostgreSQL refuses to run as root."""
    folder = Path(tempfile.mkdtemp(prefix="reference-app-"))
    folder.chmod(0o755)
    (folder / "postgres").mkdir()
    (folder / "valkey").mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres(session_folder: Path) -> Iterator[Postgres]:
    """Give a running PostgreSQL."""
    server = Postgres(session_folder / "postgres")
    server.create()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def valkey(session_folder: Path) -> Iterator[Valkey]:
    """Give a running Valkey."""
    server = Valkey(session_folder / "valkey")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def variables(session_folder: Path, postgres: Postgres, valkey: Valkey) -> dict[str, str]:
    """Give the backend's variables, but for the database's own name. No cache lands in its tree."""
    kept = {name: value for name in ("PATH", "HOME", "LANG") if (value := os.environ.get(name))}
    return kept | {
        "PYTHONPATH": ".",
        "PYTHONPYCACHEPREFIX": str(session_folder / "pycache"),
        "ENV": "test",
        "DATABASE_URL": postgres.url("postgres"),
        "REDIS_URL": valkey.url,
        "GIT_COMMIT_SHA": SHA,
        "APP_VERSION": "v1.2.3",
        "PUBLIC_URL": "https://report.example.test",
    }


@pytest.fixture(scope="session")
def migrated(session_folder: Path, postgres: Postgres, variables: dict[str, str]) -> str:
    """Give the name of a migrated database that is only copied from."""
    postgres.query("CREATE DATABASE migrated")
    backend = Backend(variables | {"DATABASE_URL": postgres.url("migrated")}, session_folder / "log")
    done = backend.alembic("upgrade", "head")
    assert done.returncode == 0, done.stderr
    return "migrated"


@pytest.fixture
def database(postgres: Postgres, migrated: str) -> str:
    """Give the name of a migrated database of this test's own."""
    name = f"finance_report_{next(numbers)}"
    postgres.query(f"CREATE DATABASE {name} TEMPLATE {migrated}")
    return name


@pytest.fixture
def empty_database(postgres: Postgres) -> str:
    """Give the name of an empty database of this test's own."""
    name = f"finance_report_{next(numbers)}"
    postgres.query(f"CREATE DATABASE {name}")
    return name


@pytest.fixture
def backend(database: str, postgres: Postgres, variables: dict[str, str], tmp_path: Path) -> Backend:
    """Give a backend on a migrated database, not started."""
    return Backend(variables | {"DATABASE_URL": postgres.url(database)}, tmp_path / "backend.log")


@pytest.fixture
def unmigrated(empty_database: str, postgres: Postgres, variables: dict[str, str], tmp_path: Path) -> Backend:
    """Give a backend on an empty database, not started."""
    return Backend(variables | {"DATABASE_URL": postgres.url(empty_database)}, tmp_path / "backend.log")


@pytest.fixture(scope="session")
def shared_app(
    session_folder: Path, postgres: Postgres, migrated: str, variables: dict[str, str]
) -> Iterator[App]:
    """Give a running backend for tests that leave nothing behind."""
    postgres.query(f"CREATE DATABASE shared TEMPLATE {migrated}")
    backend = Backend(variables | {"DATABASE_URL": postgres.url("shared")}, session_folder / "shared.log")
    with backend.started() as running:
        yield running


@pytest.fixture
def app(backend: Backend) -> Iterator[App]:
    """Give a running backend."""
    with backend.started() as running:
        yield running


@pytest.fixture(scope="session")
def frontend(session_folder: Path, variables: dict[str, str]) -> Iterator[App]:
    """Give the running frontend, which serves its sources, built or not. It gets no secret and needs none."""
    kept = {name: value for name, value in variables.items() if not name.endswith("_URL")}
    kept["ENV"] = "development"
    with started(FRONTEND, "server:app", kept, session_folder / "frontend.log") as running:
        yield running


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Give a copy of the backend's tree to change."""
    return Path(shutil.copytree(BACKEND, tmp_path / "backend", ignore=shutil.ignore_patterns("__pycache__")))
