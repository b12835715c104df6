"""The whole application behind a real Traefik, as a browser sees it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reference_app.running import SHA, App
from tests.reference_app.servers import accepts, free_port
from tests.waiting import until

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def site(shared_app: App, frontend: App, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Give the address that people open."""
    folder, port = tmp_path_factory.mktemp("router"), free_port()
    parts = {"api": shared_app.port, "web": frontend.port}
    rules = {"api": "Path(`/api`) || PathPrefix(`/api/`)", "web": "PathPrefix(`/`)"}
    dynamic = {
        "routers": {
            name: {"rule": rule, "service": name, "middlewares": ["strip"] if name == "api" else []}
            for name, rule in rules.items()
        },
        "middlewares": {"strip": {"stripPrefix": {"prefixes": ["/api"]}}},
        "services": {
            name: {"loadBalancer": {"servers": [{"url": f"http://127.0.0.1:{at}"}]}}
            for name, at in parts.items()
        },
    }
    routes = folder / "routes.yaml"
    routes.write_text(json.dumps({"http": dynamic}))
    static = {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "entryPoints": {"web": {"address": f"127.0.0.1:{port}"}},
        "providers": {"file": {"filename": str(routes), "watch": False}},
    }
    (folder / "traefik.yaml").write_text(json.dumps(static))
    command = [str(Path(sys.executable).with_name("traefik")), f"--configFile={folder / 'traefik.yaml'}"]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    router = App(process, port, folder / "log")
    until(lambda: accepts(port) and router.get("/").status == 200)
    yield router
    router.stop()


def test_pages_and_api_share_one_address(site: App) -> None:
    assert site.get("/").headers["content-type"].startswith("text/html")
    assert site.get("/api/health").json()["git_sha"] == SHA
    assert site.get("/apifoo").headers["content-type"].startswith("text/html")


def test_the_prefix_is_stripped_once(site: App) -> None:
    assert [site.get(path).status for path in ("/api/ping", "/api/api/ping", "/ping")] == [200, 404, 404]


def test_docs_names_a_document_that_the_browser_can_get(site: App) -> None:
    named = re.search(r"url: '([^']*)'", site.get("/api/docs").body)
    assert named
    assert site.get(named[1]).json()["servers"] == [{"url": "/api"}]


def test_the_address_that_people_open_is_an_allowed_origin(site: App) -> None:
    base = f"http://127.0.0.1:{site.port}"
    answer = site.ask("OPTIONS", "/api/ping", headers={"Origin": base})
    assert answer.headers["access-control-allow-origin"] == base
