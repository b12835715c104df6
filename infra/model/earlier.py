"""What an earlier derivation of ours may have given: known by deriving it again, not by its looks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from urllib.parse import urlsplit

from infra.model.addresses import LOOPBACK, Addresses
from infra.model.environment import Environment
from infra.model.environments import environment
from infra.model.errors import BadInput
from infra.model.naming import Names
from infra.model.ports import HIGHEST
from infra.model.urls import object_store_url, store_host

LOOPBACKS = ("localhost", LOOPBACK)
STORES = ("postgres", "redis", "minio")
_PORT = re.compile(r":([0-9]{1,5})(?=/|\Z)")


def earlier(at: Addresses, text: str) -> Iterator[Addresses]:
    """Give every address of ours that may stand in this text; whoever asks derives from each and compares.

    Ours are any port, the hosts that the environment's stores have on any of its targets, and the names of
    its database; and the object store's own login, which the application had before it got one. Nothing else
    of a derived value may differ: who else logs in, scheme, bucket and query stay.
    """
    if not at.environment:
        return
    if at.owns_object_store:
        yield replace(at, object_store_login="ROOT")
    names, row = Names(at.project), environment(at.environment)
    ports = [port for port in map(int, _PORT.findall(text)) if 0 < port <= HIGHEST]
    for hosts, port, database in product(_ways(names, row), ports, _databases(at, names, row, text)):
        postgres, redis, minio = hosts
        own_store = object_store_url(minio, port) if minio and row.has_object_store else at.object_store
        yield replace(
            at,
            postgres=postgres,
            redis=redis,
            ports=dict.fromkeys(at.ports, port),
            database=database,
            object_store=own_store,
        )


def moved(before: str, after: str) -> str:
    """Give what is another one in the second of two addresses, in words without a login."""
    was, now = urlsplit(before), urlsplit(after)
    if not was.netloc:
        return "it is the application's own now"
    parts = {
        "host": (was.hostname, now.hostname),
        "port": (was.port, now.port),
        "database": (was.path, now.path),
    }
    words = [
        f"its {name} is {str(new).strip('/')}" for name, (old, new) in parts.items() if new and old != new
    ]
    return f"{' and '.join(words)} now"


def _ways(names: Names, row: Environment) -> set[tuple[str, ...]]:
    """Give the hosts of the stores together, as one target after the other has them."""
    asked = product(row.targets, (False, True))
    found = {
        tuple(store_host(part, names, row, target, in_container=inside) for part in STORES)
        for target, inside in asked
    }
    return found | {(host,) * len(STORES) for host in LOOPBACKS}


def _databases(at: Addresses, names: Names, row: Environment, text: str) -> set[str]:
    """Give the names that the database may have had; where checkouts share servers, one with a namespace."""
    last = text.rpartition("/")[2]
    own = {at.database, names.project}
    return {*own, last} if row.namespaced != "never" and _is_of_a_checkout(last, names) else own


def _is_of_a_checkout(database: str, names: Names) -> bool:
    start, _, namespace = database.partition("_dev_")
    try:
        return start == names.project and names.get_dev_db_name(namespace) == database
    except BadInput:
        return False
