"""How the application sits behind a router."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from asking import served

ROUTER = {"X-Forwarded-Prefix": "/api"}


@pytest.fixture
async def behind() -> AsyncIterator[httpx.AsyncClient]:
    """The application with a public address."""
    async with served({"PROVIDERS": "mock", "PUBLIC_URL": "https://report.test"}) as client:
        yield client


@pytest.mark.parametrize(("sent", "prefix"), [({}, ""), (ROUTER, "/api"), ({"X-Forwarded-Prefix": "/x"}, "")])
async def test_docs_names_the_document_that_the_browser_can_get(
    behind: httpx.AsyncClient, sent: dict[str, str], prefix: str
) -> None:
    assert f"url: '{prefix}/openapi.json'" in (await behind.get("/docs", headers=sent)).text


@pytest.mark.parametrize("path", ["/nowhere", "/api/ping"])
async def test_the_prefix_is_stripped_once(behind: httpx.AsyncClient, path: str) -> None:
    assert (await behind.get(path, headers=ROUTER)).status_code == 404


PAGES = {
    "the public one": ("https://report.test", "10.0.0.1:8000", True),
    "this machine by number": ("http://127.0.0.1:8000", "127.0.0.1:8000", True),
    "this machine by name": ("http://localhost:8000", "localhost:8000", True),
    "the name, asking the number": ("http://localhost:8000", "127.0.0.1:8000", False),
    "another port of this machine": ("http://127.0.0.1:8001", "127.0.0.1:8000", False),
    "a name that somebody points here": ("http://evil.test:8000", "evil.test:8000", False),
    "one whose name begins like ours": ("https://report.test.evil.test", "report.test", False),
    "one of a sandbox": ("null", "report.test", False),
    "no address at all": ("http://[", "[", False),
}


@pytest.mark.parametrize("method", ["OPTIONS", "GET"])
@pytest.mark.parametrize(("origin", "host", "is_own"), PAGES.values(), ids=PAGES)
async def test_only_our_own_pages_read_from_a_browser(
    behind: httpx.AsyncClient, method: str, origin: str, host: str, is_own: bool
) -> None:
    answer = await behind.request(method, "/ping", headers={"Origin": origin, "Host": host})
    assert answer.headers.get("access-control-allow-origin") == (origin if is_own else None)
    assert answer.status_code == (204 if method == "OPTIONS" else 200)


@pytest.mark.parametrize(("origin", "host", "is_own"), PAGES.values(), ids=PAGES)
@pytest.mark.parametrize("said", ["Origin", "Referer"])
async def test_only_our_own_pages_change_anything(
    behind: httpx.AsyncClient, said: str, origin: str, host: str, is_own: bool
) -> None:
    page = origin if said == "Origin" else f"{origin}/accounts?of=1"
    del behind.headers["Origin"]
    answer = await behind.post("/ping/toggle", headers={said: page, "Host": host})
    assert answer.status_code == (200 if is_own else 403)


async def test_who_names_no_page_changes_nothing(behind: httpx.AsyncClient) -> None:
    del behind.headers["Origin"]
    answer = await behind.post("/ping/toggle")
    assert (answer.status_code, "Origin" in answer.json()["detail"]) == (403, True)
    assert (await behind.get("/ping")).json() == {"state": "ping"}
