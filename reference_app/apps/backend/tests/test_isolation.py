"""Tests cannot hurt each other, nor anything that is not theirs."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import asyncpg
import httpx
import pytest
from asking import CASH, log_in, open_accounts, sale, served
from ownership import NotOurs, database_of, refuse_foreign, wanted_name

TURNS = pytest.mark.parametrize("turn", [1, 2])


async def test_the_suite_is_in_the_database_of_its_namespace_and_worker(
    database: asyncpg.Connection, worker: str
) -> None:
    name = await database.fetchval("SELECT current_database()")
    assert name == wanted_name(os.environ.get("TEST_NAMESPACE", ""), worker)


async def test_nobody_else_is_in_this_database(database: asyncpg.Connection) -> None:
    others = """SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()
                AND backend_type = 'client backend'"""
    assert await database.fetchval(others) == 0


async def test_the_database_is_at_the_newest_revision(database: asyncpg.Connection) -> None:
    versions = sorted((Path(__file__).parents[1] / "migrations" / "versions").glob("*.py"))
    at = await database.fetchval("SELECT version_num FROM alembic_version")
    assert versions[-1].name.startswith(at)


@TURNS
async def test_each_test_finds_an_empty_ledger_and_numbers_from_one(
    client: httpx.AsyncClient, turn: int
) -> None:
    assert (await client.get("/accounts")).json() == []
    await open_accounts(client)
    assert (await client.post("/journal", json=sale())).json()["id"] == 1


@TURNS
async def test_each_test_finds_the_switch_at_ping(client: httpx.AsyncClient, turn: int) -> None:
    assert (await client.get("/ping")).json() == {"state": "ping"}
    assert (await client.post("/ping/toggle")).json() == {"state": "pong"}


@TURNS
async def test_each_test_may_use_the_same_name_for_its_user(client: httpx.AsyncClient, turn: int) -> None:
    await log_in(client, "alice")


async def test_what_is_not_committed_is_seen_by_nobody(
    client: httpx.AsyncClient, database: asyncpg.Connection
) -> None:
    transaction = database.transaction()
    await transaction.start()
    await database.execute("INSERT INTO accounts (code, name, kind) VALUES ('1000', 'Cash', 'asset')")
    assert (await client.get("/accounts")).json() == []
    await transaction.rollback()


async def test_an_entry_that_fails_in_the_middle_leaves_nothing(
    client: httpx.AsyncClient, database: asyncpg.Connection
) -> None:
    await log_in(client)
    await client.post("/accounts", json=CASH)
    assert (await client.post("/journal", json=sale())).status_code == 422
    assert await database.fetchval("SELECT count(*) FROM journal_entries") == 0


async def test_toggles_at_the_same_time_are_all_counted(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(client.post("/ping/toggle") for _ in range(20)))
    states = [answer.json()["state"] for answer in answers]
    assert (states.count("ping"), states.count("pong")) == (10, 10)
    assert (await client.get("/ping")).json() == {"state": "ping"}


async def test_of_two_who_open_the_same_account_one_is_refused(client: httpx.AsyncClient) -> None:
    await log_in(client)
    answers = await asyncio.gather(*(client.post("/accounts", json=CASH) for _ in range(2)))
    assert sorted(answer.status_code for answer in answers) == [201, 409]


async def test_two_applications_in_memory_share_nothing() -> None:
    async with served({"PROVIDERS": "mock"}) as one, served({"PROVIDERS": "mock"}) as other:
        await log_in(one)
        await one.post("/ping/toggle")
        await one.post("/accounts", json=CASH)
        assert (await other.get("/ping")).json() == {"state": "ping"}
        assert (await other.get("/accounts")).json() == []


async def test_a_session_of_one_application_opens_no_other() -> None:
    async with served({"PROVIDERS": "mock"}) as one, served({"PROVIDERS": "mock"}) as other:
        await log_in(one)
        other.cookies = one.cookies
        assert (await one.get("/me")).status_code == 200
        assert (await other.get("/me")).status_code == 401


def database(name: str, host: str = "localhost") -> str:
    """The address of that database."""
    return f"postgresql+asyncpg://user:hidden-word@{host}:5432/{name}"


TESTING = {"ENVIRONMENT": "testing", "TEST_NAMESPACE": "pr_4"}
OURS = "finance_report_test_pr_4"
FOREIGN = {
    "not testing": (database(OURS), "master", TESTING | {"ENVIRONMENT": "staging"}),
    "ENVIRONMENT is not set": (database(OURS), "master", {"TEST_NAMESPACE": "pr_4"}),
    "production": (database("finance_report"), "master", TESTING),
    "development": (database("finance_report_dev_pr_4"), "master", TESTING),
    "merely contains test": (database("latest_test_results"), "master", TESTING),
    "a longer number": (database("finance_report_test_pr_47"), "master", TESTING),
    "another worker": (database(f"{OURS}_gw1"), "gw0", TESTING),
    "the main database, as a worker": (database(OURS), "gw0", TESTING),
    "no worker of ours": (database(f"{OURS}_gw100"), "gw100", TESTING),
    "another host": (database(OURS, "db.example.test"), "master", TESTING),
    "the name in the query only": (f"{database('finance_report')}?x={OURS}", "master", TESTING),
    "no address": ("", "master", TESTING),
}


@pytest.mark.parametrize(("url", "worker", "environment"), FOREIGN.values(), ids=FOREIGN)
def test_a_database_that_is_not_exactly_ours_is_refused_without_its_password(
    url: str, worker: str, environment: dict[str, str]
) -> None:
    with pytest.raises(NotOurs) as refusal:
        refuse_foreign(url, worker, environment)
    assert "hidden-word" not in str(refusal.value)


@pytest.mark.parametrize("worker", ["master", "gw0", "gw99"])
def test_each_worker_has_a_database_of_its_own(worker: str) -> None:
    url = database(wanted_name("pr_4", worker))
    refuse_foreign(url, worker, TESTING)
    assert database_of(url) == (OURS if worker == "master" else f"{OURS}_{worker}")
