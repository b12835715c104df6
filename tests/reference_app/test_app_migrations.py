"""The migrations, run as an entry point and as a person runs them."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

from tests.reference_app.running import BACKEND, Backend
from tests.reference_app.servers import PASSWORD, Postgres

pytestmark = pytest.mark.real

VERSIONS = sorted((BACKEND / "migrations" / "versions").glob("*.py"))


def constants(module: Path) -> dict[str, Any]:
    """Give the constants that a module declares, without running it."""
    declared = [line for line in ast.parse(module.read_text()).body if isinstance(line, ast.Assign)]
    return {ast.unparse(line.targets[0]): ast.literal_eval(line.value) for line in declared}


def test_each_migration_follows_the_one_before_and_says_how_it_rolls_back() -> None:
    chain = [constants(module) for module in VERSIONS]
    revisions = [one["revision"] for one in chain]
    assert [one["down_revision"] for one in chain] == [None, *revisions[:-1]]
    assert {one["rollback"] for one in chain} <= {"compatible", "downgrade", "irreversible"}


UP_AND_DOWN = f"""
from alembic import command
from alembic.config import Config
config = Config("alembic.ini")
for _ in range({len(VERSIONS)}):
    command.upgrade(config, "+1")
for _ in range({len(VERSIONS)}):
    command.downgrade(config, "-1")
"""


def test_every_migration_goes_up_and_down_and_up_again(
    unmigrated: Backend, postgres: Postgres, empty_database: str
) -> None:
    done = unmigrated.python("-c", UP_AND_DOWN)
    assert done.returncode == 0, done.stderr
    left = postgres.query(
        "SELECT string_agg(relname, ' ') FROM pg_class WHERE relkind = 'r' "
        "AND relnamespace = 'public'::regnamespace",
        empty_database,
    )
    assert left == "alembic_version"
    assert unmigrated.alembic("upgrade", "head").returncode == 0
    assert VERSIONS[-1].name.startswith(unmigrated.alembic("current").stdout[:4])


def test_a_downgrade_that_is_declared_safe_loses_nothing(
    backend: Backend, postgres: Postgres, database: str
) -> None:
    postgres.query(
        "INSERT INTO journal_entries (booked_on, description) VALUES ('2026-01-31', 'Rent')", database
    )
    assert backend.alembic("downgrade", "0002").returncode == 0
    assert postgres.query("SELECT memo FROM journal_entries", database) == "Rent"
    assert backend.alembic("upgrade", "head").returncode == 0
    assert postgres.query("SELECT description FROM journal_entries", database) == "Rent"


IN_PROCESS = """
from alembic import command
from alembic.config import Config
command.upgrade(Config("alembic.ini"), "head")
command.upgrade(Config("alembic.ini"), "head")
"""
IN_THREAD = """
import asyncio
from alembic import command
from alembic.config import Config
async def main():
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, command.upgrade, Config("alembic.ini"), "head")
asyncio.run(main())
"""


@pytest.mark.parametrize("code", [IN_PROCESS, IN_THREAD], ids=["no loop", "thread beside a loop"])
def test_another_program_migrates_in_its_own_process(
    unmigrated: Backend, postgres: Postgres, empty_database: str, code: str
) -> None:
    done = unmigrated.python("-c", code)
    assert done.returncode == 0, done.stderr
    assert VERSIONS[-1].name.startswith(
        postgres.query("SELECT version_num FROM alembic_version", empty_database)
    )


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "DATABASE_URL must be set"),
        ("postgresql+asyncpg://postgres:{}@127.0.0.1:{}/postgres", "password authentication failed"),
    ],
)
def test_a_migration_that_cannot_log_in_says_why_and_shows_no_password(
    unmigrated: Backend, postgres: Postgres, url: str, said: str
) -> None:
    wrong = Backend(
        {**unmigrated.environment, "DATABASE_URL": url.format("hidden-word", postgres.port)}, unmigrated.log
    )
    done = wrong.alembic("upgrade", "head")
    assert done.returncode != 0
    assert said in done.stdout + done.stderr
    assert "hidden-word" not in done.stdout + done.stderr
    assert PASSWORD not in done.stdout + done.stderr
