"""Cases in `routes/*.yaml`, and the project's own table: a new case needs no code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from finance_report import PROJECT
from infra.model.environments import environment
from infra.model.hosts import AppDomain, PlatformDomain, app_host
from infra.model.service import Route

CASES = Path(__file__).parent / "routes"
APP_DOMAIN = AppDomain("app.example")
PLATFORM_DOMAIN = PlatformDomain("platform.example")
PARTS = {part.name for service in PROJECT.services for part in service.parts}
DEPLOYED = ("staging", "pr_47", "production")


def cases(name: str) -> Any:
    """Give the cases of one file."""
    return yaml.safe_load((CASES / f"{name}.yaml").read_text(encoding="utf-8"))


def answered_paths() -> list[tuple[str, str, str]]:
    """Give each path, the part that answers it, and what that part is asked for."""
    lines = [line.partition(" -> ") for line in cases("paths")["answered"]]
    return [(path, *after.split(" ")) for path, _, after in lines]


def public_host(name: str) -> str:
    """Give the project's host in a deployed environment."""
    return app_host(PROJECT.host, environment(name), APP_DOMAIN)


def route(row: list[Any]) -> Route:
    """Give the route that a row of `tables.yaml` declares."""
    return Route(*row)
