"""Write, read and remove one value: reads alone do not show a server that takes no writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from infra.model.addresses import LOOPBACK
from infra.model.secret import Secret
from infra.targets.object_store import object_store
from infra.targets.postgres import connect
from infra.targets.process.target import ProcessTarget
from infra.verify import bucket


def postgres(secrets: Mapping[str, Secret], target: ProcessTarget) -> str:
    """Give why the application's role could not write, read and remove a row; empty when it could."""
    import psycopg

    url = secrets["DATABASE_URL"].reveal().replace("postgresql+asyncpg://", "postgresql://", 1)
    mark = uuid4().hex
    try:
        with connect(url, socket=target.database.socket, connect_timeout=5, autocommit=True) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS infra_write_probe (mark text PRIMARY KEY)")
            connection.execute("INSERT INTO infra_write_probe VALUES (%s)", [mark])
            gone = connection.execute("DELETE FROM infra_write_probe WHERE mark = %s", [mark]).rowcount
    except psycopg.Error as error:
        return f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"
    return "" if gone == 1 else "the row that was written could not be read again"


def redis(secrets: Mapping[str, Secret], target: ProcessTarget) -> str:
    """Give why a key could not be set, read and removed; empty when it could."""
    from redis import Redis, RedisError

    url, door = urlsplit(secrets["REDIS_URL"].reveal()), target.cache
    if (url.hostname, url.port) != (LOOPBACK, door.port):
        return f"REDIS_URL names {url.hostname}:{url.port}, and the cache is at {LOOPBACK}:{door.port}"
    key, mark = f"infra:write-probe:{uuid4().hex}", uuid4().hex
    try:
        with Redis(**door.options, password=unquote(url.password or ""), socket_timeout=5) as client:
            client.set(key, mark, ex=60)
            found = client.get(key)
            client.delete(key)
    except RedisError as error:
        return f"{type(error).__name__}: {error}"
    return "" if found == mark.encode() else "the key that was written could not be read again"


PROBES: Mapping[str, Callable[[Mapping[str, Secret], ProcessTarget], str]] = {
    "postgres": postgres,
    "redis": redis,
    "object_store": lambda secrets, _target: bucket.write_fault(secrets),
}
SOFT = frozenset({"object_store"})  # those that nobody waits for before the rest is proven


def is_off(probe: str, secrets: Mapping[str, Secret]) -> bool:
    """Tell whether there is nothing to write to: an object store is optional."""
    return probe == "object_store" and object_store(secrets) is None
