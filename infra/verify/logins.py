"""Does a unit really serve? A real login for the stores, the right release for the application; no writes."""

from __future__ import annotations

from infra.model.answer import Category
from infra.model.errors import PortTaken
from infra.model.unit import Unit
from infra.plan.health import classify
from infra.session import Session
from infra.targets.postgres import connect
from infra.targets.process import probes
from infra.verify import bucket
from infra.verify.http import ask


def login_fault(session: Session, unit: Unit) -> str:
    """Give why the unit does not serve, in words without secrets; empty when it does."""
    if unit.health.probe == "postgres":
        return _postgres(session)
    if unit.health.probe == "redis":
        return _cache(session, unit)
    if session.project.service(unit.service).only_with == "object_store":
        return bucket.login_fault(session.readable().get("app", {}))
    if unit.health.path == "/health":
        answer = ask(f"http://127.0.0.1:{unit.port}/health")
        category = classify(answer, None)
        return "" if category is Category.OK else f"{category}: {answer}"
    return probes.fault(unit)


def _cache(session: Session, unit: Unit) -> str:
    try:
        has_socket = session.target.cache.folder is not None
    except PortTaken as taken:
        return taken.message
    return probes.fault(unit if has_socket else probes.on_port(unit))


def _postgres(session: Session) -> str:
    import psycopg

    url = session.readable().get("app", {}).get("DATABASE_URL")
    if url is None:
        return "the store has no DATABASE_URL"
    try:
        plain = url.reveal().replace("postgresql+asyncpg://", "postgresql://", 1)
        with connect(plain, socket=session.target.database.socket, connect_timeout=5) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error as error:
        return f"{type(error).__name__}: {str(error).strip().splitlines()[-1]}"
    return ""
