"""The frontend: its pages are there, they name only what exists, and it leaves /api alone."""

from __future__ import annotations

import re

import pytest

from tests.reference_app.running import FRONTEND, App

pytestmark = pytest.mark.real

PAGES = ["/", "/ping-pong", "/reconciliation", "/login", "/accounts", "/journal", "/reports"]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_whole_html_and_its_links_lead_somewhere(frontend: App, path: str) -> None:
    page = frontend.get(path)
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.body.startswith("<!doctype html>")
    assert page.body.rstrip().endswith("</html>")
    assert "$title" not in page.body
    linked = set(re.findall(r'(?:href|src|from) ?=? ?"(/[^"]*)"', page.body))
    assert [link for link in linked if frontend.get(link).status != 200] == []
    assert {"/accounts", "/static/app.js", "/static/style.css"} <= linked


def test_an_unknown_page_is_a_404_that_leads_back(frontend: App) -> None:
    page = frontend.get("/nowhere")
    assert (page.status, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert '<a href="/">' in page.body


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/health", "/api/ping", "/static/../server.py"])
def test_the_frontend_never_answers_for_the_backend_nor_shows_its_code(frontend: App, path: str) -> None:
    assert frontend.get(path).status == 404


def test_pages_call_only_what_the_backend_has(shared_app: App) -> None:
    scripts = [*FRONTEND.glob("pages/*.html"), *FRONTEND.glob("static/*.js")]
    called = {path for file in scripts for path in re.findall(r'api\("(/[a-z/]+)"', file.read_text())}
    assert {"/accounts", "/journal", "/statements", "/ping/toggle"} <= called
    assert called <= set(shared_app.get("/openapi.json").json()["paths"])


def test_imports_of_the_pages_are_exported(frontend: App) -> None:
    exported = set(re.findall(r"export (?:async )?function (\w+)", frontend.get("/static/app.js").body))
    for file in FRONTEND.glob("pages/*.html"):
        for names in re.findall(r"import \{ ([^}]*) \}", file.read_text()):
            assert set(names.split(", ")) <= exported, file
