"""The route table printed as container labels, for a Traefik that reads them from the engine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from infra.model.environment import Environment
from infra.model.errors import BadInput
from infra.model.hosts import AppDomain
from infra.model.service import Project, Route
from infra.plan.routes import above, middlewares, part_of, rule

_Labels = Iterator[tuple[str, str]]
_NETWORK = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def labels(
    project: Project, environment: Environment, part_name: str, host: str, network: str
) -> tuple[tuple[str, str], ...]:
    """Give the labels of one part in the order of the table; one without a route is kept from Traefik.

    BadInput for a host that is not this environment's, and for an environment whose routes would have
    production's names. KeyError for a part that the project does not have.
    """
    _refuse_foreign(project, environment, host)
    if not _NETWORK.fullmatch(network):
        raise BadInput(f"{network!r} is no network", next_step="mend containers.ingress in invoke.yaml")
    port = part_of(project, part_name).port
    mine = [route for route in project.routes if route.part == part_name]
    if not mine:
        return (("traefik.enable", "false"),)
    return tuple(_enabled(project, environment.domain_suffix, mine, host, network, port))


def _refuse_foreign(project: Project, environment: Environment, host: str) -> None:
    suffix, next_step = environment.domain_suffix, f"./inv env.show --env {environment.name}"
    if not suffix and environment.kind != "production":
        message = f"{environment.name} has no domain suffix: its routes would be production's"
        raise BadInput(message, next_step=next_step)
    own = f"{project.host}{suffix}."
    if not host.startswith(own):
        raise BadInput(f"{host!r} is no host of {environment.name}: {own}<domain>", next_step=next_step)
    AppDomain(host.removeprefix(own))


def _enabled(project: Project, suffix: str, mine: list[Route], host: str, network: str, port: int) -> _Labels:
    yield "traefik.enable", "true"
    yield "traefik.docker.network", network
    for route in mine:
        name = f"{route.name}{suffix}"
        text = rule(route, f"Host(`{host}`)", above(route, project.routes))
        yield from _router(name, text, route.priority)
        yield from _chain(name, middlewares(route, suffix))
        yield f"traefik.http.services.{name}.loadbalancer.server.port", str(port)
    if _widest(project) in mine:
        yield from _redirect(_widest(project), suffix, host)


def _router(name: str, text: str, priority: int) -> _Labels:
    router = f"traefik.http.routers.{name}"
    yield f"{router}.rule", text
    yield f"{router}.entrypoints", "websecure"
    yield f"{router}.tls", "true"
    yield f"{router}.tls.certresolver", "letsencrypt"
    yield f"{router}.priority", str(priority)
    yield f"{router}.service", name


def _chain(router: str, chain: dict[str, dict[str, Any]]) -> _Labels:
    yield f"traefik.http.routers.{router}.middlewares", ",".join(chain)
    for name, settings in chain.items():
        yield from _flat(f"traefik.http.middlewares.{name}", settings)


def _flat(key: str, value: Any) -> _Labels:
    """Give nested settings as labels; Traefik spells its own words there in lower case."""
    if isinstance(value, dict):
        for word, below in value.items():
            yield from _flat(f"{key}.{word if '-' in word else word.lower()}", below)
    else:
        yield key, ",".join(value) if isinstance(value, list) else value


def _widest(project: Project) -> Route:
    """Give the route that takes every path, the lowest one: the redirect to https goes with it."""
    return min(project.routes, key=lambda route: (bool(route.path), route.priority))


def _redirect(route: Route, suffix: str, host: str) -> _Labels:
    name, to_https = f"{route.name}-http{suffix}", f"{route.name}-https{suffix}"
    router = f"traefik.http.routers.{name}"
    yield f"{router}.rule", f"Host(`{host}`)"
    yield f"{router}.entrypoints", "web"
    yield f"{router}.priority", str(route.priority)
    yield f"{router}.service", f"{route.name}{suffix}"
    settings = {"redirectScheme": {"scheme": "https", "permanent": "true"}}
    yield from _chain(name, {to_https: settings})
