"""The offline matcher. That real Traefik agrees with it is shown in tests/real/test_routes_in_traefik.py."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from finance_report import PROJECT
from infra.model.environments import environment
from infra.model.errors import BadInput
from infra.model.service import Route
from infra.plan.route_match import check_table, forwarded_path, match
from infra.plan.route_probes import answered_by, probes
from infra.verify.smoke_profiles import load_profile
from tests.plan.route_tables import DEPLOYED, PARTS, answered_paths, cases, public_host, route

ROOT = Path(__file__).resolve().parents[2]
PATHS = answered_paths()
TABLES: dict[str, dict[str, Any]] = cases("tables")


@pytest.mark.parametrize(("path", "part", "asked"), PATHS, ids=[path for path, _, _ in PATHS])
def test_a_path_has_one_route_and_is_stripped_once(path: str, part: str, asked: str) -> None:
    found = match(PROJECT.routes, path)
    assert found
    assert (found.part, forwarded_path(found, path)) == (part, asked)


@pytest.mark.parametrize("path", cases("paths")["refused"])
def test_what_is_no_path_of_a_url_is_refused(path: str) -> None:
    with pytest.raises(BadInput, match="no path of a URL"):
        match(PROJECT.routes, path)


def test_where_no_route_takes_a_path_there_is_no_answer() -> None:
    assert match([Route("api", "backend", 1, "/api")], "/login") is None
    assert match([], "/") is None


def test_the_higher_priority_answers_not_the_longer_path() -> None:
    above, below = Route("web", "frontend", 100), Route("api", "backend", 10, "/api")
    assert match([below, above], "/api/x") == above


def test_the_order_of_the_table_does_not_matter() -> None:
    for path, _, _ in PATHS:
        assert match(reversed(PROJECT.routes), path) == match(PROJECT.routes, path)


@pytest.mark.parametrize("name", TABLES)
def test_each_fault_of_a_table_is_told(name: str) -> None:
    table = TABLES[name]
    rows = [route(row) for row in table["routes"]]
    for order in (rows, rows[::-1]):
        assert check_table(order, table.get("paths", []), {"a", "b"}) == table["faults"]


def test_the_public_paths_of_the_project_have_one_router_each_and_the_right_part() -> None:
    profile = load_profile(PROJECT.name, ROOT)
    paths = sorted({row.path for row in profile.rows} | {profile.ready, *profile.timed})
    assert check_table(PROJECT.routes, paths, PARTS) == []
    of_the_backend = {path for path in paths if path.startswith("/api/")}
    assert of_the_backend, "a profile without the backend checks half of the table"
    assert {path: _part(path) for path in paths} == {
        path: "backend" if path in of_the_backend else "frontend" for path in paths
    }


def test_the_backends_own_address_is_the_public_one_without_the_prefix() -> None:
    profile = load_profile(PROJECT.name, ROOT)
    found = match(PROJECT.routes, profile.ready)
    assert found
    assert forwarded_path(found, profile.ready) == profile.backend_ready


@pytest.mark.parametrize("name", DEPLOYED)
def test_each_router_has_one_probe_and_the_probe_reaches_it(name: str) -> None:
    host = public_host(name)
    asked = probes(PROJECT, environment(name), host)
    assert [url.startswith(f"https://{host}/") for url, _ in asked] == [True] * len(PROJECT.routes)
    reached = [match(PROJECT.routes, url.removeprefix(f"https://{host}")) for url, _ in asked]
    assert reached == list(PROJECT.routes)
    assert [part for _, part in asked] == [row.part for row in PROJECT.routes]


def test_a_local_stack_is_probed_without_tls() -> None:
    urls = [url for url, _ in probes(PROJECT, environment("local"), "localhost:3000")]
    assert urls == ["http://localhost:3000/api", "http://localhost:3000/"]


@pytest.mark.parametrize(
    ("headers", "part"),
    [
        ({"Content-Type": "text/plain", "X-Infra-Service": "backend"}, "backend"),
        ({"x-infra-service": "frontend"}, "frontend"),
        ({"Content-Type": "text/plain"}, None),
        ({}, None),
    ],
)
def test_the_header_tells_a_routers_answer_from_traefiks_own(
    headers: dict[str, str], part: str | None
) -> None:
    assert answered_by(headers) == part


def test_a_new_route_is_probed_and_matched_without_further_words() -> None:
    service = PROJECT.service("app")
    more = replace(service, routes=(*service.routes, Route("finance-report-hooks", "backend", 50, "/hooks")))
    project = replace(PROJECT, services=(more,))
    assert ("https://h.example/hooks", "backend") in probes(project, environment("staging"), "h.example")
    assert check_table(project.routes, ["/hooks/a", "/api/hooks", "/"], PARTS) == []


def _part(path: str) -> str:
    found = match(PROJECT.routes, path)
    return found.part if found else ""
