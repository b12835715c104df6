"""Where the stores of one environment are reached: what derived secrets are made of, beside passwords."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

LOOPBACK = "127.0.0.1"  # where processes listen, and where they are asked
CACHE_SOCKET = "cache.sock"  # in the data folder of a cache that is a process
OBJECT_STORE_KEYS = ("S3_ENDPOINT", "S3_BUCKET", "S3_ACCESS_KEY", "S3_SECRET_KEY")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Hosts, ports, database and role of one environment; `ports` are by service.

    `bucket` and `object_store` are empty where there is no object store. Where it is the environment's own,
    `object_store_login` is the prefix of the keys with which the application comes. `project` and
    `environment` are the names by which addresses of earlier derivations are known; without them none are.
    """

    postgres: str
    redis: str
    ports: Mapping[str, int]
    database: str
    role: str
    bucket: str = ""
    object_store: str = ""
    object_store_login: Literal["", "ROOT", "APP"] = ""
    project: str = ""
    environment: str = ""

    @property
    def owns_object_store(self) -> bool:
        """True when the object store is the environment's own, so that its logins are ours to give."""
        return bool(self.object_store_login)
