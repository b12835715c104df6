"""The object store of an environment, with the login that may make and remove buckets."""

from __future__ import annotations

from infra.model.secret import Secret
from infra.model.urls import object_store_url
from infra.session import Session
from infra.targets.object_store import ObjectStore, object_store

UNIT = "minio"


def own(session: Session) -> ObjectStore | None:
    """Give the environment's own store; None where it has none, and before its first setup."""
    keys = session.keys.readable().get(UNIT, {})
    if not session.environment.has_object_store or not keys.get("ROOT_USER"):
        return None
    endpoint = object_store_url(session.places.bind, session.places.ports[UNIT])
    return ObjectStore(endpoint, keys["ROOT_USER"], keys.get("ROOT_PASSWORD", Secret("")))


def foreign(session: Session) -> ObjectStore | None:
    """Give somebody else's store that the settings name, with the application's login; None without one."""
    if not session.settings.object_store.startswith("http"):
        return None
    found = object_store(session.keys.readable().get("app", {}))
    return found[0] if found else None
