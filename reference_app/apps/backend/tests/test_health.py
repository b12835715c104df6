"""What /health says, with each dependency up, down, absent or mocked."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

import httpx
import pytest
from asking import served
from doubles import ObjectStore

from src import checks, health, remote

KEYS = {"S3_ACCESS_KEY": "access", "S3_SECRET_KEY": "secret", "S3_BUCKET": "statements"}
SKIPPED = {"status": "skipped", "required": False, "ms": 0.0}


async def test_health_says_status_commit_and_version_and_nothing_else(
    client: httpx.AsyncClient, variables: dict[str, str]
) -> None:
    answer = await client.get("/health")
    wanted = {"status": "healthy", "git_sha": variables["GIT_COMMIT_SHA"], "version": "dev"}
    assert (answer.status_code, answer.json()) == (200, wanted)
    assert answer.headers["cache-control"] == "no-store"


async def test_full_health_skips_what_is_not_set(client: httpx.AsyncClient) -> None:
    said = (await client.get("/health?full=1")).json()
    assert said["providers"] == "real"
    assert said["dependencies"]["postgres"]["status"] == "ok"
    assert (said["dependencies"]["s3"], said["dependencies"]["ai"]) == (SKIPPED, SKIPPED)


async def test_full_health_says_that_the_providers_are_mocked() -> None:
    async with served({"PROVIDERS": "mock"}) as client:
        answer = await client.get("/health?full=1")
    said = answer.json()
    assert (answer.status_code, said["status"], said["providers"]) == (200, "healthy", "mock")
    assert [entry["status"] for entry in said["dependencies"].values()] == ["ok"] * 4


async def test_a_database_that_is_down_is_named_and_the_ledger_is_503(variables: dict[str, str]) -> None:
    nowhere = variables["DATABASE_URL"].rpartition("@")[0] + "@127.0.0.1:1/none"
    async with served(variables | {"DATABASE_URL": nowhere}) as client:
        short = await client.get("/health")
        full = (await client.get("/health?full=1")).json()
        ping = await client.get("/ping")
    assert (short.status_code, short.json()["status"]) == (503, "unhealthy")
    assert full["dependencies"]["postgres"]["reason"] == "ConnectionRefusedError"
    assert (ping.status_code, ping.json()) == (503, {"detail": "a store does not answer, try again"})


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_a_bucket_that_refuses_makes_full_health_fail_and_names_the_status(
    variables: dict[str, str],
    store: ObjectStore,
    status: int,
) -> None:
    async with served(variables | KEYS | {"S3_ENDPOINT": store.address}) as client:
        assert (await client.get("/health?full=1")).status_code == 200
        store.refuses = status
        answer = await client.get("/health?full=1")
        assert (await client.get("/health")).status_code == 200
    assert answer.status_code == 503
    assert answer.json()["dependencies"]["s3"]["reason"] == f"HTTP {status}"


async def test_an_ai_provider_that_is_down_is_shown_and_does_not_make_us_unhealthy(
    variables: dict[str, str],
) -> None:
    ai = {"OPENROUTER_API_KEY": "hidden-word", "OPENROUTER_URL": "http://127.0.0.1:1"}
    async with served(variables | ai) as client:
        answer = await client.get("/health?full=1")
    assert answer.status_code == HTTPStatus.OK
    assert answer.json()["dependencies"]["ai"]["reason"] == "URLError"
    assert "hidden-word" not in answer.text


class Frozen:
    """A store that never answers."""

    async def check(self, seconds: float) -> None:
        await asyncio.Event().wait()


async def test_a_store_that_never_answers_is_given_up_in_time() -> None:
    assert await checks.fault(Frozen(), 0.01) == "TimeoutError"


def test_a_probe_is_answered_before_it_gives_up() -> None:
    assert health.CHECK_SECONDS < 2


def test_a_refusal_is_its_status_and_never_the_address(store: ObjectStore) -> None:
    store.refuses = 401
    with pytest.raises(remote.Refused, match=r"^HTTP 401$"):
        remote._ask("GET", store.address, {"Authorization": "Bearer hidden-word"}, 1)
