"""Addresses of the stores; every part is percent-encoded."""

from __future__ import annotations

from urllib.parse import quote

from infra.model.environment import Environment
from infra.model.naming import Names


def database_url(role: str, password: str, host: str, port: int, database: str) -> str:
    """Give the address that the application connects to."""
    return f"postgresql+asyncpg://{_part(role)}:{_part(password)}@{host}:{port}/{_part(database)}"


def redis_url(password: str, host: str, port: int, index: int = 0) -> str:
    """Give the address of the cache; it has a password and no user."""
    return f"redis://:{_part(password)}@{host}:{port}/{index}"


def store_host(part: str, names: Names, environment: Environment) -> str:
    """Give the host that reaches a store: the full container name where deployed, never a bare one."""
    return names.container(part, environment) if environment.is_deployed else "localhost"


def _part(text: str) -> str:
    return quote(text, safe="")
