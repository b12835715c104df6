"""Statements as files: in the bucket where there is one, for people who are logged in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest
from asking import log_in, served
from doubles import ObjectStore

from src import bucket, files

FOLDER = "/statements/files"
CONTENT = b"day;amount\n2026-01-31;12.50\n\x00\xff"


@pytest.fixture(params=["s3", "memory"])
async def person(
    request: pytest.FixtureRequest,
    variables: dict[str, str],
    s3: dict[str, str],
) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who is logged in, before each kind of bucket."""
    async with served(variables | s3 if request.param == "s3" else {"PROVIDERS": "mock"}) as client:
        await log_in(client)
        yield client


@pytest.fixture
def name() -> str:
    """A name that no other test uses: a bucket may be shared by workers."""
    return f"January {uuid4().hex}.csv"


async def test_a_file_comes_back_as_it_was_sent(person: httpx.AsyncClient, name: str) -> None:
    sent = await person.post(f"{FOLDER}/{name}", content=CONTENT)
    assert (sent.status_code, sent.json()) == (201, {"name": name, "size": len(CONTENT)})
    got = await person.get(f"{FOLDER}/{name}")
    assert (got.status_code, got.content) == (200, CONTENT)
    assert got.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert (got.headers["content-type"], got.headers["x-content-type-options"]) == (
        "application/octet-stream",
        "nosniff",
    )


async def test_a_file_is_listed_once_and_the_newer_one_replaces_it(
    person: httpx.AsyncClient, name: str
) -> None:
    for content in (CONTENT, b"newer"):
        await person.post(f"{FOLDER}/{name}", content=content)
    listed = [one for one in (await person.get(FOLDER)).json() if one["name"] == name]
    assert [one["size"] for one in listed] == [len(b"newer")]


async def test_a_file_that_nobody_sent_is_404(person: httpx.AsyncClient, name: str) -> None:
    assert (await person.get(f"{FOLDER}/{name}")).status_code == 404


async def test_an_empty_file_and_one_that_is_too_large_are_refused(
    person: httpx.AsyncClient, name: str
) -> None:
    sizes = (0, files.LIMIT, files.LIMIT + 1)
    codes = [(await person.post(f"{FOLDER}/{name}", content=b"x" * size)).status_code for size in sizes]
    assert codes == [422, 201, 413]


async def test_a_file_that_does_not_arrive_in_time_makes_room_for_others(
    person: httpx.AsyncClient, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "ARRIVES_WITHIN", 0.01)

    async def slow() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.sleep(10)

    assert (await person.post(f"{FOLDER}/{name}", content=slow())).status_code == 408


@pytest.mark.parametrize("bad", [".hidden", "a%2Fb", "..%2F..%2Fetc", 'a"b', "a%0Ab", "x" * 101])
async def test_a_name_that_could_lead_elsewhere_is_refused(person: httpx.AsyncClient, bad: str) -> None:
    for answer in (await person.post(f"{FOLDER}/{bad}", content=b"x"), await person.get(f"{FOLDER}/{bad}")):
        assert answer.status_code in {404, 422}


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("GET", "/a.csv"), ("POST", "/a.csv")])
async def test_files_ask_for_a_login_before_anything_else(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    assert (await client.request(method, FOLDER + path, content=b"x")).status_code == 401


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("GET", "/a.csv"), ("POST", "/a.csv")])
async def test_without_an_object_store_files_are_503_and_say_why(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    await log_in(client)
    answer = await client.request(method, FOLDER + path, content=b"x")
    assert (answer.status_code, answer.json()) == (503, {"detail": files.UNSET})


@pytest.mark.parametrize("status", [403, 500])
@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("GET", "/a.csv"), ("POST", "/a.csv")])
async def test_a_bucket_that_refuses_is_503_until_it_answers_again(
    variables: dict[str, str],
    store: ObjectStore,
    method: str,
    path: str,
    status: int,
) -> None:
    keys = {"S3_ACCESS_KEY": "access", "S3_SECRET_KEY": "secret", "S3_BUCKET": "statements"}
    store.objects[f"{bucket.FOLDER}a.csv"] = b"x"
    async with served(variables | keys | {"S3_ENDPOINT": store.address}) as client:
        await log_in(client)
        store.refuses = status
        assert (await client.request(method, FOLDER + path, content=b"x")).status_code == 503
        store.refuses = 0
        assert (await client.request(method, FOLDER + path, content=b"x")).status_code in {200, 201}
