"""Real Traefik does with the printed files and labels what the offline matcher says."""

from __future__ import annotations

import contextlib
import json
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from finance_report import PROJECT
from infra.model.environments import environment
from infra.model.hosts import platform_host
from infra.model.places import Places
from infra.model.service import Project
from infra.plan.route_match import forwarded_path, match
from infra.plan.route_probes import probes
from infra.plan.routes import PING, SERVED_BY, container_files, traefik_files
from infra.plan.routes_labels import labels
from tests.doubles.docker_api import Container, Engine, engine
from tests.doubles.echo_server import echoing
from tests.plan.route_tables import (
    APP_DOMAIN,
    DEPLOYED,
    PLATFORM_DOMAIN,
    answered_paths,
    cases,
    public_host,
    route,
)
from tests.real.traefik import LOOPBACK, Answer, Traefik, Visit, listening, traefik, wildcard
from tests.reference_app.servers import free_port
from tests.waiting import until

pytestmark = pytest.mark.real
PATHS = [path for path, _, _ in answered_paths()]
PORTS = {"backend": 8000, "frontend": 3000, "postgres": 5432}
NETWORK = "dokploy-network"
STRANGER = "somebody-elses"
STRANGERS_PORT = 8080  # an ordinary user may listen there
NESTED = [
    "a route inside a route",
    "one priority without overlap",
    "web above api",
    "a wider prefix above",
    "nobody takes the rest",
]


def said(path: str) -> tuple[str, str]:
    """Give what the matcher says of a path: who answers, and what for."""
    found = match(PROJECT.routes, path)
    assert found
    return found.part, forwarded_path(found, path)


@pytest.fixture(scope="module")
def echoes() -> Iterator[dict[str, int]]:
    with contextlib.ExitStack() as stack:
        yield {
            part: stack.enter_context(echoing(part, LOOPBACK, 0, SERVED_BY))
            for part in ("backend", "frontend")
        }


@pytest.fixture(scope="module")
def local(echoes: dict[str, int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    """Give a visit to a router with the printed files of `local`."""
    with _local_router(tmp_path_factory.mktemp("local"), echoes) as visit:
        until(visit.is_routed)
        yield visit


@contextlib.contextmanager
def _local_router(root: Path, parts: dict[str, int], project: Project = PROJECT) -> Iterator[Visit]:
    port, folder = free_port(), root / "run" / "router"
    places = Places(str(root), "", "", LOOPBACK, {**parts, "router": port}, {}, (), "", {})
    files = {file.name: file.text for file in traefik_files(project, environment("local"), places)}
    folder.mkdir(parents=True)
    (folder / "routes.yaml").write_text(files["routes.yaml"], encoding="utf-8")
    with traefik(folder, json.loads(files["traefik.yaml"])):
        yield Visit(port, "localhost")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "LocalHost:3000"])
def test_files_route_strip_and_mark_as_the_matcher_says(local: Visit, host: str) -> None:
    visit = Visit(local.port, host)
    answers = {path: visit.ask(path) for path in PATHS}
    assert {path: (got.part, got.echo) for path, got in answers.items()} == {
        path: (said(path)[0], said(path)) for path in PATHS
    }


def test_a_local_router_serves_this_machines_names_only(local: Visit) -> None:
    assert _is_traefiks_own_404(Visit(local.port, public_host("production")).ask("/api/health"))


def test_of_what_the_matcher_refuses_traefik_mends_some_and_refuses_the_rest(local: Visit) -> None:
    """What it mends ends at another part than the request seems to name; the echo answers 404."""
    targets = [path for path in cases("paths")["refused"] if re.fullmatch("/[!-~]+", path)]
    answers = {path: local.ask(path).status for path in targets}
    assert answers == {"/api/x#y": 400, "/api/x?y#z": 404, "/api%": 400, "/api/%zz": 400, '/api%2F"x': 404}
    assert local.ask('/api%2F"x').part == "backend"


@pytest.mark.parametrize("name", NESTED)
def test_priorities_decide_as_the_matcher_says(name: str, tmp_path: Path) -> None:
    table = cases("tables")[name]
    rows = tuple(route(row) for row in table["routes"])
    project = replace(PROJECT, services=(replace(PROJECT.service("app"), routes=rows),))
    with contextlib.ExitStack() as stack:
        parts = {part: stack.enter_context(echoing(part, LOOPBACK, 0, SERVED_BY)) for part in ("a", "b")}
        visit = stack.enter_context(_local_router(tmp_path, parts, project))
        until(lambda: visit.is_routed(rows[0].path or "/"))
        answers = {path: visit.ask(path) for path in table["paths"]}
    expected = {path: match(rows, path) for path in table["paths"]}
    assert {path: got.part for path, got in answers.items()} == {
        path: found.part if found else None for path, found in expected.items()
    }


def test_the_files_of_a_router_in_a_container_route_the_same_and_answer_its_health_check(
    tmp_path: Path,
) -> None:
    with contextlib.ExitStack() as stack:
        at = {
            part: stack.enter_context(listening(part, PORTS[part], SERVED_BY))
            for part in ("backend", "frontend")
        }
        files = container_files(PROJECT, environment("local"), at.__getitem__)
        texts = {file.name: file.text.replace('"/infra/', f'"{tmp_path}/') for file in files}
        port, ping = free_port(), free_port()
        static = (
            texts["traefik.yaml"].replace('":80"', f'"{LOOPBACK}:{port}"').replace(PING, f"{LOOPBACK}:{ping}")
        )
        (tmp_path / "routes.yaml").write_text(texts["routes.yaml"], encoding="utf-8")
        with traefik(tmp_path, json.loads(static)) as router:
            visit = Visit(port, "localhost")
            until(visit.is_routed)
            assert [visit.ask(path).echo for path in PATHS] == [said(path) for path in PATHS]
            assert visit.ask("/ping").part == "frontend"
            assert router.is_healthy()
        assert not router.is_healthy()


@dataclass
class Edge:
    """One Traefik in front of three environments, as a platform has it."""

    engine: Engine
    plain: int
    secure: int
    context: ssl.SSLContext
    router: Traefik

    def visit(self, host: str) -> Visit:
        return Visit(self.secure, host, self.context)


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    folder = tmp_path_factory.mktemp("edge")
    pair = wildcard(folder, APP_DOMAIN.name, PLATFORM_DOMAIN.name)
    context = ssl.create_default_context(cafile=pair["certFile"])
    with contextlib.ExitStack() as stack:
        double = stack.enter_context(engine())
        double.run(*(stack.enter_context(_container(part, name)) for name in DEPLOYED for part in PORTS))
        double.run(stack.enter_context(_stranger()))
        plain, secure = free_port(), free_port()
        static = _platform(folder, double, plain, secure, pair)
        made = Edge(double, plain, secure, context, stack.enter_context(traefik(folder, static)))
        for name in DEPLOYED:
            until(made.visit(public_host(name)).is_routed)
        until(lambda: double.listeners > 0)
        yield made


def _platform(folder: Path, engine: Engine, plain: int, secure: int, pair: dict[str, str]) -> dict[str, Any]:
    """Give the static configuration of a platform's router; its certificate authority is not there."""
    tls = {"tls": {"stores": {"default": {"defaultCertificate": pair}}}}
    (folder / "tls.yaml").write_text(json.dumps(tls), encoding="utf-8")
    authority = {"caServer": "https://127.0.0.1:1/", "storage": str(folder / "acme.json"), "tlsChallenge": {}}
    return {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "entryPoints": {
            "web": {"address": f"{LOOPBACK}:{plain}"},
            "websecure": {"address": f"{LOOPBACK}:{secure}"},
        },
        "providers": {
            "providersThrottleDuration": "0.05s",
            "docker": {"endpoint": f"unix://{engine.socket}", "exposedByDefault": False},
            "file": {"filename": str(folder / "tls.yaml"), "watch": False},
        },
        "certificatesResolvers": {"letsencrypt": {"acme": authority}},
    }


@contextlib.contextmanager
def _container(part: str, name: str) -> Iterator[Container]:
    printed = labels(PROJECT, environment(name), part, public_host(name), NETWORK)
    with listening(f"{part} of {name}", PORTS[part], SERVED_BY) as address:
        yield Container(f"{part}-{name}", dict(printed), address, PORTS[part], NETWORK)


@contextlib.contextmanager
def _stranger() -> Iterator[Container]:
    with listening(STRANGER, STRANGERS_PORT, SERVED_BY) as address:
        yield Container(STRANGER, {"com.example": "yes"}, address, STRANGERS_PORT, NETWORK)


def _is_traefiks_own_404(answer: Answer) -> bool:
    return (answer.status, answer.part, answer.body) == (404, None, "404 page not found\n")


@pytest.mark.parametrize("name", DEPLOYED)
def test_labels_route_strip_and_mark_as_the_matcher_says(edge: Edge, name: str) -> None:
    visit = edge.visit(public_host(name))
    answers = {path: visit.ask(path) for path in PATHS}
    assert {path: (got.part, *got.echo) for path, got in answers.items()} == {
        path: (part, f"{part} of {name}", asked) for path in PATHS for part, asked in [said(path)]
    }


@pytest.mark.parametrize("name", DEPLOYED)
def test_a_host_may_be_written_in_upper_case_and_with_a_port(edge: Edge, name: str) -> None:
    answer = edge.visit(f"{public_host(name).upper()}:443").ask("/api/x")
    assert answer.echo == (f"backend of {name}", "/x")


@pytest.mark.parametrize("name", DEPLOYED)
def test_every_probe_is_answered_by_its_part_even_with_a_404(edge: Edge, name: str) -> None:
    host = public_host(name)
    asked = probes(PROJECT, environment(name), host)
    answers = [edge.visit(host).ask(url.removeprefix(f"https://{host}")) for url, _ in asked]
    assert [(got.status, got.part) for got in answers] == [(404, part) for _, part in asked]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("path", ["/", "/api/health?full=1", "/login"])
def test_plain_http_is_sent_to_https_for_good(edge: Edge, path: str, method: str) -> None:
    """All but GET keep their method: 308."""
    for name in DEPLOYED:
        answer = Visit(edge.plain, public_host(name)).ask(path, method)
        status = 301 if method == "GET" else 308
        assert (answer.status, answer.location) == (status, f"https://{public_host(name)}{path}")


@pytest.mark.parametrize(
    "host",
    [
        "nobody.app.example",
        "report-pr-4.app.example",
        "report-pr-470.app.example",
        platform_host("report", PLATFORM_DOMAIN),
        f"{STRANGER}.app.example",
    ],
)
def test_an_unknown_host_is_traefiks_own_404(edge: Edge, host: str) -> None:
    for visit in (edge.visit(host), Visit(edge.plain, host)):
        assert [_is_traefiks_own_404(visit.ask(path)) for path in ("/", "/api/health")] == [True, True]


@pytest.mark.parametrize("container", [STRANGER, "postgres-staging"])
def test_a_container_without_routes_of_ours_is_not_routed(edge: Edge, container: str) -> None:
    """Traefik would serve it under its own name."""
    assert container in edge.engine.containers
    assert _is_traefiks_own_404(Visit(edge.plain, container).ask("/"))


def test_nobody_answers_in_place_of_a_backend_that_is_not_healthy(edge: Edge) -> None:
    visit = edge.visit(public_host("staging"))
    edge.engine.say_health("backend-staging", "unhealthy")
    try:
        until(lambda: visit.ask("/api/health").part != "backend")
        answers = {path: visit.ask(path) for path in PATHS}
        assert {path: _is_traefiks_own_404(got) for path, got in answers.items()} == {
            path: said(path)[0] == "backend" for path in PATHS
        }
        assert {got.part for got in answers.values()} == {None, "frontend"}
        assert edge.visit(public_host("production")).ask("/api/health").part == "backend"
    finally:
        edge.engine.say_health("backend-staging", "healthy")
    until(lambda: visit.ask("/api/health").part == "backend")


def test_a_dead_backend_has_a_router_all_the_same(tmp_path: Path) -> None:
    """502 with the header is a backend that died; 404 without it is a router that is missing."""
    with _local_router(tmp_path, {"backend": 1, "frontend": 1}) as visit:
        until(visit.is_routed)
        answer = visit.ask("/api/health")
    assert (answer.status, answer.part) == (502, "backend")


def test_traefik_only_reads_from_the_engine(edge: Edge) -> None:
    assert {method for method, _ in edge.engine.asked} == {"GET"}


def test_traefik_finds_no_error_in_our_labels(edge: Edge) -> None:
    assert edge.router.log == ""
