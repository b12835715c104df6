"""Connections that are made within one deadline, and the stage at which one was not."""

from __future__ import annotations

import contextlib
import functools
import http.client
import queue
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult

from infra.model.answer import Category
from infra.model.errors import BadInput
from infra.targets.bounded import left

Address = tuple[Any, ...]


class Unanswered(Exception):
    """No whole answer came: the stage at which it ended, and the cause in words."""

    def __init__(self, category: Category, detail: str) -> None:
        super().__init__(detail)
        self.category = category
        self.detail = detail


@contextlib.contextmanager
def stage(category: Category, *, late: Category = Category.TIMEOUT) -> Iterator[None]:
    """Turn whatever goes wrong inside into Unanswered of this category, lateness into `late`."""
    try:
        yield
    except TimeoutError as error:
        raise Unanswered(late, "not done in time") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unanswered(category, str(error) or type(error).__name__) from error


def connect(parts: SplitResult, deadline: float, ca_file: str | None) -> socket.socket:
    """Give a connected socket, inside verified TLS for https; Unanswered says at which stage it ended."""
    host, is_tls = str(parts.hostname), parts.scheme == "https"
    context = _trust(ca_file) if is_tls else None
    with stage(Category.DNS, late=Category.DNS):
        addresses = _resolve(host, parts.port or (443 if is_tls else 80), deadline)
    with stage(Category.CONNECT):
        sock = _reach(addresses, deadline)
    return sock if context is None else _secure(sock, context, host, deadline)


@functools.cache
def _trust(ca_file: str | None) -> ssl.SSLContext:
    """Cached: to load the system's roots takes longer than a whole request."""
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise BadInput(f"CA file {ca_file}: {error.strerror or error}; expected PEM certificates") from error


def _resolve(host: str, port: int, deadline: float) -> list[Address]:
    """Give the addresses of a name. Resolvers know no deadline, so that a thread waits for them."""
    found: queue.SimpleQueue[list[Address] | Exception] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            found.put(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        except (OSError, UnicodeError) as error:
            found.put(error)

    threading.Thread(target=look_up, daemon=True).start()
    try:
        outcome = found.get(timeout=left(deadline))
    except queue.Empty:
        raise OSError(f"no answer about {host} in time") from None
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _reach(addresses: list[Address], deadline: float) -> socket.socket:
    """Connect to the first address that answers; each gets its share of the time that is left."""
    failure: OSError = OSError("the name has no address")
    for tried, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = None
        try:
            sock = socket.socket(family, kind, protocol)
            sock.settimeout(left(deadline) / (len(addresses) - tried))
            sock.connect(address)
        except OSError as error:
            failure = error
            if sock is not None:
                sock.close()
        else:
            return sock
    raise failure


def _secure(sock: socket.socket, context: ssl.SSLContext, host: str, deadline: float) -> ssl.SSLSocket:
    try:
        with stage(Category.TLS):
            sock.settimeout(left(deadline))
            return context.wrap_socket(sock, server_hostname=host)
    except Unanswered:
        sock.close()
        raise
