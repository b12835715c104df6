"""The route table printed for Traefik's file provider: plain HTTP on loopback, hosts of this machine only."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from infra.model.container import FILES
from infra.model.environment import Environment
from infra.model.places import Places
from infra.model.service import Part, Project, Route
from infra.model.unit import UnitFile

SERVED_BY = "X-Infra-Service"
LOCAL_HOSTS = "(Host(`localhost`) || Host(`127.0.0.1`))"
PING = "127.0.0.1:8082"


def traefik_files(project: Project, environment: Environment, places: Places) -> list[UnitFile]:
    """Give Traefik's static and dynamic configuration as files; JSON is YAML."""
    static = _static(f"{places.bind}:{places.ports['router']}", f"{places.run}/router")
    dynamic = _dynamic(project, environment, lambda part: f"{places.bind}:{places.ports[part]}")
    return [_file("traefik.yaml", static), _file("routes.yaml", dynamic)]


def container_files(
    project: Project, environment: Environment, container: Callable[[str], str]
) -> list[UnitFile]:
    """Give the same files for a router in a container: it finds the parts by their containers' names.

    `traefik healthcheck` gets its answer on an entry point that nothing outside the container reaches.
    """
    static = _static(f":{part_of(project, 'router').port}", FILES)
    static["entryPoints"]["ping"] = {"address": PING}
    static["ping"] = {"entryPoint": "ping"}
    dynamic = _dynamic(project, environment, lambda name: f"{container(name)}:{part_of(project, name).port}")
    return [_file("traefik.yaml", static), _file("routes.yaml", dynamic)]


def part_of(project: Project, name: str) -> Part:
    """Give the part of that name, whichever service has it; KeyError if none does."""
    return {part.name: part for service in project.services for part in service.parts}[name]


def rule(route: Route, hosts: str, without: Iterable[Route] = ()) -> str:
    """Give the router's rule: these hosts, and the route's path itself or anything below it.

    Paths of routes in `without` are left out. Traefik forgets the router of a container that is not
    healthy, and what was meant for it would else be answered by the next one.
    """
    own = [_paths(route)] if route.path else []
    return " && ".join([hosts, *own, *(f"!{_paths(one)}" for one in without)])


def above(route: Route, routes: Iterable[Route]) -> list[Route]:
    """Give the routes that answer a piece of what this one would take, in the order of the table."""
    return [one for one in routes if one.path and one.priority > route.priority and takes(route, one.path)]


def takes(route: Route, path: str) -> bool:
    """Tell whether a rule of this route alone, whatever its host, takes the path."""
    return not route.path or path == route.path or path.startswith(f"{route.path}/")


def middlewares(route: Route, suffix: str) -> dict[str, dict[str, Any]]:
    """Give a route's middlewares by name, in the order in which they act."""
    chain: dict[str, dict[str, Any]] = {
        f"{route.name}-served-by{suffix}": {"headers": {"customResponseHeaders": {SERVED_BY: route.part}}}
    }
    if route.strip:
        chain[f"{route.name}-strip{suffix}"] = {"stripPrefix": {"prefixes": [route.path]}}
    return chain


def _paths(route: Route) -> str:
    return f"(Path(`{route.path}`) || PathPrefix(`{route.path}/`))"


def _static(address: str, folder: str) -> dict[str, Any]:
    return {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "log": {"level": "WARN"},
        "entryPoints": {"web": {"address": address}},
        "providers": {"file": {"filename": f"{folder}/routes.yaml", "watch": False}},
    }


def _dynamic(project: Project, environment: Environment, address: Callable[[str], str]) -> dict[str, Any]:
    suffix = environment.domain_suffix
    http: dict[str, dict[str, Any]] = {"routers": {}, "middlewares": {}, "services": {}}
    for route in project.routes:
        name, chain = f"{route.name}{suffix}", middlewares(route, suffix)
        http["middlewares"] |= chain
        http["routers"][name] = {
            "rule": rule(route, LOCAL_HOSTS, above(route, project.routes)),
            "priority": route.priority,
            "entryPoints": ["web"],
            "middlewares": list(chain),
            "service": name,
        }
        http["services"][name] = {"loadBalancer": {"servers": [{"url": f"http://{address(route.part)}"}]}}
    return {"http": http}


def _file(name: str, content: dict[str, Any]) -> UnitFile:
    return UnitFile(name, json.dumps(content, indent=2) + "\n")
