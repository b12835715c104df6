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


@pytest.mark.parametrize("method", ["OPTIONS", "GET"])
@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [("https://report.test", True), ("http://test", True), ("https://evil.test", False), ("null", False)],
)
async def test_only_our_own_pages_may_call_from_a_browser(
    behind: httpx.AsyncClient, method: str, origin: str, is_allowed: bool
) -> None:
    answer = await behind.request(method, "/ping", headers={"Origin": origin})
    assert answer.headers.get("access-control-allow-origin") == (origin if is_allowed else None)
