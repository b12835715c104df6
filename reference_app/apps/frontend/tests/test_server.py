"""What a browser gets, from a build and from the sources."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

import build
import bundle
import server

HERE = Path(__file__).parents[1]


class Browser:
    """Asks a frontend in this process."""

    def __init__(self, app: Starlette) -> None:
        self._transport = httpx.ASGITransport(app)

    def get(self, path: str) -> httpx.Response:
        return asyncio.run(self._get(path))

    async def _get(self, path: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=self._transport, base_url="http://test") as client:
            return await client.get(path)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the sources to change and to build."""
    for name in ("pages", "static"):
        shutil.copytree(HERE / name, tmp_path / name)
    monkeypatch.setattr(build, "HERE", tmp_path)
    return tmp_path


@pytest.fixture
def browse(checkout: Path) -> Callable[[str], Browser]:
    """Open a browser before the server, in this environment."""
    return lambda env: Browser(server.application(server.site(checkout, {"ENV": env})))


def built(checkout: Path) -> None:
    """Build the checkout."""
    assert build.main(["--out", str(checkout / "dist")]) == 0


def rewrite(file: Path, old: str, new: str) -> None:
    """Change a file, and its time even on a coarse clock."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    os.utime(file, ns=(0, file.stat().st_mtime_ns + 1))


@pytest.mark.parametrize("is_built", [True, False])
def test_every_page_is_html_and_every_link_of_it_leads_somewhere(
    checkout: Path, browse: Callable[[str], Browser], is_built: bool
) -> None:
    if is_built:
        built(checkout)
    browser = browse("production")
    for path in bundle.PAGES:
        page = browser.get(path)
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        for link in re.findall(r'(?:href|src|from) ?=? ?"(/[^"]*)"', page.text):
            assert browser.get(link).status_code == 200, link


def test_a_built_file_is_kept_for_ever_and_a_page_is_asked_for_each_time(
    checkout: Path, browse: Callable[[str], Browser]
) -> None:
    built(checkout)
    browser = browse("production")
    page = browser.get("/")
    script = re.findall(r'"(/static/app\.\w+\.js)"', page.text)[0]
    assert (page.headers["cache-control"], browser.get(script).headers["cache-control"]) == (
        "no-cache",
        server.FOR_EVER,
    )
    assert browser.get(script).headers["content-type"].startswith("text/javascript")


def test_in_development_a_saved_page_is_served_at_once_and_a_build_is_not(
    checkout: Path, browse: Callable[[str], Browser]
) -> None:
    built(checkout)
    browser = browse("development")
    assert "Toggle" in browser.get("/ping-pong").text
    rewrite(checkout / "pages" / "ping-pong.html", "Toggle", "Flip")
    assert "Flip" in browser.get("/ping-pong").text
    assert browser.get("/static/app.js").headers["cache-control"] == "no-cache"


def test_a_broken_page_is_500_with_its_fault_until_it_is_mended(
    checkout: Path, browse: Callable[[str], Browser]
) -> None:
    browser = browse("development")
    page = checkout / "pages" / "ping-pong.html"
    rewrite(page, "</button>", "")
    answer = browser.get("/")
    assert (answer.status_code, "<button> is never closed" in answer.text) == (500, True)
    rewrite(page, "Toggle", "Toggle</button>")
    assert browser.get("/").status_code == 200


def test_a_build_of_other_sources_is_never_served(checkout: Path, browse: Callable[[str], Browser]) -> None:
    built(checkout)
    rewrite(checkout / "pages" / "ping-pong.html", "Toggle", "Flip")
    assert "Flip" in browse("production").get("/ping-pong").text


def test_a_build_is_served_as_it_was_when_the_server_started(
    checkout: Path, browse: Callable[[str], Browser]
) -> None:
    built(checkout)
    browser = browse("production")
    rewrite(checkout / "pages" / "ping-pong.html", "Toggle", "Flip")
    assert "Toggle" in browser.get("/ping-pong").text


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/api", "/api/health", "/static/../server.py", "/static/%2e%2e/server.py", "/static/"],
)
def test_what_is_not_there_is_a_404_that_leads_back(browse: Callable[[str], Browser], path: str) -> None:
    page = browse("development").get(path)
    assert page.status_code == 404
    assert '<a href="/">' in page.text


def test_the_server_of_this_folder_starts() -> None:
    assert Browser(server.app).get("/").status_code == 200
