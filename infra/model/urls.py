"""Addresses of the stores; every part is percent-encoded."""

from __future__ import annotations

from urllib.parse import quote

from infra.model.addresses import LOOPBACK
from infra.model.environment import Environment, Target
from infra.model.naming import Names


def database_url(role: str, password: str, host: str, port: int, database: str) -> str:
    """Give the address that the application connects to."""
    login = f"{_part(role)}:{_part(password)}"
    return f"postgresql+asyncpg://{login}@{_part(host)}:{port}/{_part(database)}"


def redis_url(password: str, host: str, port: int, index: int = 0) -> str:
    """Give the address of the cache; it has a password and no user."""
    return f"redis://:{_part(password)}@{_part(host)}:{port}/{index}"


def object_store_url(host: str, port: int) -> str:
    """Give the address of an environment's own object store; its login stands in keys of their own."""
    return f"http://{_part(host)}:{port}"


def store_host(
    part: str,
    names: Names,
    environment: Environment,
    target: Target | None = None,
    *,
    in_container: bool = False,
) -> str:
    """Give the host that reaches a store; `target` is the environment's default one where none is given.

    Processes are on loopback in every environment. Deployed containers have their full name, never a bare
    one: that is an alias on every shared network. With `in_container` a local container is asked for by
    another one.
    """
    chosen = target or environment.default_target
    if chosen != "process" and environment.is_deployed:
        return names.container(part, environment)
    return part if chosen == "docker" and in_container else LOOPBACK


def _part(text: str) -> str:
    return quote(text, safe="")
