"""How the backend sits behind a router: documentation, unknown paths, origins."""

from __future__ import annotations

import re

import pytest

from tests.reference_app.running import App

pytestmark = pytest.mark.real

ROUTER = {"X-Forwarded-Prefix": "/api"}  # what a router sends that stripped /api


@pytest.mark.parametrize(
    ("sent", "prefix"), [({}, ""), (ROUTER, "/api"), ({"X-Forwarded-Prefix": "/evil'"}, "")]
)
def test_docs_names_an_openapi_document_that_is_there(
    shared_app: App, sent: dict[str, str], prefix: str
) -> None:
    page = shared_app.get("/docs", sent)
    named = re.search(r"url: '([^']*)'", page.body)
    assert page.status == 200
    assert "SwaggerUIBundle" in page.body
    assert named
    assert named[1] == f"{prefix}/openapi.json"
    document = shared_app.get(named[1].removeprefix(prefix), sent)
    assert document.status == 200
    assert document.json().get("servers", []) == ([{"url": prefix}] if prefix else [])


@pytest.mark.parametrize("sent", [{}, ROUTER])
@pytest.mark.parametrize("path", ["/nowhere", "/api/ping", "/api", "/"])
def test_an_unknown_path_is_404_in_json_and_the_prefix_is_stripped_once(
    shared_app: App, path: str, sent: dict[str, str]
) -> None:
    answer = shared_app.get(path, sent)
    assert (answer.status, answer.json()) == (404, {"detail": "Not Found"})


ORIGINS = [
    # Origin, Host, allowed
    ("https://report.example.test", "10.0.0.1:8000", True),
    ("http://127.0.0.1:3000", "127.0.0.1:3000", True),
    ("https://127.0.0.1:3000", "127.0.0.1:3000", False),
    ("http://127.0.0.1:3001", "127.0.0.1:3000", False),
    ("https://report.example.test.evil.test", "report.example.test", False),
    ("null", "report.example.test", False),
]


@pytest.mark.parametrize("method", ["OPTIONS", "GET"])
@pytest.mark.parametrize(("origin", "host", "is_allowed"), ORIGINS)
def test_only_our_own_pages_may_call_from_a_browser(
    shared_app: App, method: str, origin: str, host: str, is_allowed: bool
) -> None:
    answer = shared_app.ask(method, "/ping", headers={"Origin": origin, "Host": host} | ROUTER)
    assert answer.status == (204 if method == "OPTIONS" else 200)
    assert answer.headers.get("access-control-allow-origin") == (origin if is_allowed else None)
    assert answer.headers["vary"] == "Origin"
