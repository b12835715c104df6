"""Which router answered: one path to ask of each, and the header that only a router of ours sets."""

from __future__ import annotations

from collections.abc import Mapping

from infra.model.environment import Environment
from infra.model.service import Project
from infra.plan.routes import SERVED_BY


def probes(project: Project, environment: Environment, host: str) -> list[tuple[str, str]]:
    """Give one URL for each router, in the order of the table, and the part that has to answer it.

    Any status will do, a 404 too: `answered_by` tells whose it is.
    """
    scheme = "https" if environment.is_deployed else "http"
    return [(f"{scheme}://{host}{route.path or '/'}", route.part) for route in project.routes]


def answered_by(headers: Mapping[str, str]) -> str | None:
    """Give the part whose router answered; None when no router did, so that a 404 is Traefik's own."""
    return next((value for name, value in headers.items() if name.lower() == SERVED_BY.lower()), None)
