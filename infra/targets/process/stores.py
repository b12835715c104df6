"""How the stores are reached with a password: by sockets in folders that only their own servers can write.

A port is free while its server is away, and whoever takes it would be sent a login; a socket of ours is not.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.model.addresses import CACHE_SOCKET, LOOPBACK
from infra.model.errors import PortTaken
from infra.targets.process import door
from infra.targets.process.ports import is_taken

DATABASE = ".s.PGSQL.{}"
PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class CacheDoor:
    """The cache's socket in its data folder; a port where the server that runs was started without one."""

    folder: Path | None
    port: int

    @property
    def options(self) -> dict[str, Any]:
        """What redis-py opens it with."""
        if self.folder is None:
            return {"host": LOOPBACK, "port": self.port}
        return {"unix_socket_path": f"{door.short(self.folder, len(CACHE_SOCKET) + 1)}/{CACHE_SOCKET}"}

    def connect(self, patience: float) -> socket.socket:
        """Give a connection; OSError where nobody listens."""
        if self.folder is None:
            return socket.create_connection((LOOPBACK, self.port), patience)
        return door.connect(self.folder, CACHE_SOCKET, patience)


def cache_door(folder: Path, port: int, strangers: Callable[[list[int]], Mapping[int, str]]) -> CacheDoor:
    """Give how the cache of this data folder is reached; PortTaken where a stranger listens in its place.

    One of an earlier version has a port alone: it is asked there while it is proven that it is ours.
    """
    if _listens(folder, CACHE_SOCKET) or not is_taken(port):
        return CacheDoor(folder, port)
    held = strangers([port])
    if port in held:
        raise PortTaken(
            f"port {port} for redis is held by {held[port]}: it is told no password",
            next_step="end it, or write another number: ports: {redis: N} in invoke.local.yaml",
        )
    return CacheDoor(None, port)


def database_socket(folder: Path, port: int) -> str:
    """Give the folder of the database's socket as libpq takes it, empty while there is none."""
    name = DATABASE.format(port)
    short = door.short(folder, len(name) + 1) if _listens(folder, name) else ""
    return short if len(short) + len(name) < door.ROOM else ""


def _listens(folder: Path, name: str) -> bool:
    """Tell whether a server listens at a socket: one that was killed leaves its name behind."""
    try:
        door.connect(folder, name, PATIENCE).close()
    except OSError:
        return False
    return True
