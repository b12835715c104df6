"""The route table printed for Traefik's file provider: plain HTTP on loopback, hosts of this machine only."""

from __future__ import annotations

import json
from typing import Any

from infra.model.environment import Environment
from infra.model.places import Places
from infra.model.service import Project, Route
from infra.model.unit import UnitFile

SERVED_BY = "X-Infra-Service"
LOCAL_HOSTS = "(Host(`localhost`) || Host(`127.0.0.1`))"


def traefik_files(project: Project, environment: Environment, places: Places) -> list[UnitFile]:
    """Give Traefik's static and dynamic configuration as files; JSON is YAML."""
    folder = f"{places.run}/router"
    static = {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "log": {"level": "WARN"},
        "entryPoints": {"web": {"address": f"{places.bind}:{places.ports['router']}"}},
        "providers": {"file": {"filename": f"{folder}/routes.yaml", "watch": False}},
    }
    dynamic = {"http": _http(project, environment, places)}
    return [_file("traefik.yaml", static), _file("routes.yaml", dynamic)]


def _http(project: Project, environment: Environment, places: Places) -> dict[str, Any]:
    suffix = environment.domain_suffix
    routers: dict[str, Any] = {}
    middlewares: dict[str, Any] = {}
    services: dict[str, Any] = {}
    for route in project.routes:
        name = f"{route.name}{suffix}"
        chain = [f"{name}-served-by"]
        middlewares[chain[0]] = {"headers": {"customResponseHeaders": {SERVED_BY: route.part}}}
        if route.strip:
            chain.append(f"{route.name}-strip{suffix}")
            middlewares[chain[-1]] = {"stripPrefix": {"prefixes": [route.path]}}
        routers[name] = {
            "rule": rule(route, LOCAL_HOSTS),
            "priority": route.priority,
            "entryPoints": ["web"],
            "middlewares": chain,
            "service": name,
        }
        url = f"http://{places.bind}:{places.ports[route.part]}"
        services[name] = {"loadBalancer": {"servers": [{"url": url}]}}
    return {"routers": routers, "middlewares": middlewares, "services": services}


def rule(route: Route, hosts: str) -> str:
    """Give the router's rule: these hosts, and the route's path itself or anything below it."""
    if not route.path:
        return hosts
    return f"{hosts} && (Path(`{route.path}`) || PathPrefix(`{route.path}/`))"


def _file(name: str, content: dict[str, Any]) -> UnitFile:
    return UnitFile(name, json.dumps(content, indent=2) + "\n")
