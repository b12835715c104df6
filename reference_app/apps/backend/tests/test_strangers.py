"""What the application does for people it does not know: little, and in bounded room."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from asking import log_in, served

from src import bodies
from src.application import application
from src.config import Settings

MOCK = {"PROVIDERS": "mock"}
WITHOUT_SESSION = {
    "POST /register": "makes one",
    "POST /login": "makes one",
    "POST /logout": "ends the one that it is given, if any",
    "POST /ping/toggle": "one bit that is nobody's: the smoke test flips it, and flips it back",
}
TYPED = {"Content-Type": "application/json"}


def changing() -> list[tuple[str, str]]:
    """Every method and path that may change something."""
    paths = application(Settings.read(MOCK)).openapi()["paths"]
    return [(method.upper(), path) for path, ways in paths.items() for method in ways if method != "get"]


@pytest.fixture
async def stranger() -> AsyncIterator[httpx.AsyncClient]:
    """Somebody on a page of ours, without a session."""
    async with served(MOCK) as client:
        yield client


def test_the_routes_that_ask_for_no_session_are_known() -> None:
    known = {f"{method} {path}" for method, path in changing()}
    assert set(WITHOUT_SESSION) < known
    assert len(known) > len(WITHOUT_SESSION)


@pytest.mark.parametrize(("method", "path"), changing())
async def test_what_changes_anything_needs_a_session_and_a_page_of_ours(
    stranger: httpx.AsyncClient, method: str, path: str
) -> None:
    asked = path.replace("{name}", "a.csv")
    if f"{method} {path}" not in WITHOUT_SESSION:
        assert (await stranger.request(method, asked, json={})).status_code == 401
    await log_in(stranger)
    foreign = {"Origin": "https://evil.test"}
    assert (await stranger.request(method, asked, json={}, headers=foreign)).status_code == 403


async def _chunks() -> AsyncIterator[bytes]:
    for _ in range(bodies.LIMIT // 1024 + 1):
        yield b" " * 1024
    pytest.fail("all of it was read")


@pytest.mark.parametrize(("method", "path"), changing())
async def test_a_body_that_is_too_long_is_refused_by_its_length_and_as_it_comes(
    stranger: httpx.AsyncClient, method: str, path: str
) -> None:
    await log_in(stranger)
    asked, is_file = path.replace("{name}", "a.csv"), "{name}" in path
    said = await stranger.request(method, asked, content=b" " * (bodies.LIMIT + 1), headers=TYPED)
    assert said.status_code == (201 if is_file else 413)
    if not is_file and path not in {"/logout", "/ping/toggle"}:  # these read no body
        assert (await stranger.request(method, asked, content=_chunks(), headers=TYPED)).status_code == 413


@pytest.mark.parametrize("body", ['{"name": "%s"}', "[%s", '{"password": ["%s"]}'])
async def test_what_was_sent_is_never_sent_back(stranger: httpx.AsyncClient, body: str) -> None:
    answer = await stranger.post("/login", content=(body % ("hidden-word" * 100)).encode(), headers=TYPED)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["msg"]
    assert "hidden-word" not in answer.text


async def test_of_many_faults_a_few_are_told(stranger: httpx.AsyncClient) -> None:
    await log_in(stranger)
    entry = {"booked_on": "2026-01-31", "description": "Sale", "lines": [{}] * 100}
    faults = (await stranger.post("/journal", json=entry)).json()["detail"]
    assert len(faults) == bodies.FAULTS


DOCS = {
    "development": ("", 200),
    "test": ("", 200),
    "preview": ("", 404),
    "staging": ("", 404),
    "production": ("", 404),
    "production, asked for": ("on", 200),
    "development, not wanted": ("off", 404),
}


@pytest.mark.parametrize("name", DOCS)
@pytest.mark.parametrize("path", ["/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json"])
async def test_where_it_is_deployed_the_api_is_described_on_request_only(name: str, path: str) -> None:
    wish, code = DOCS[name]
    stores = {"DATABASE_URL": "postgresql+asyncpg://nowhere", "REDIS_URL": "redis://nowhere"}
    place = {"ENV": name.partition(",")[0], "GIT_COMMIT_SHA": "0" * 40, "API_DOCS": wish}
    async with served(stores | place) as client:
        assert (await client.get(path)).status_code == code
