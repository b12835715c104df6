"""Ports on loopback: which are taken, by whom, and what other machines could reach."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import psutil

from infra.model.addresses import LOOPBACK
from infra.model.observed import UNPROVEN

# Where SeaweedFS has a socket beside each of its gRPC ports: it offers no other place.
SOCKETS = "/tmp/seaweedfs-{}-grpc-{}.sock"  # noqa: S108  # looked at and never written
SOCKET_KINDS = ("admin", "filer", "master", "s3", "volume")


def is_taken(port: int) -> bool:
    """Tell whether somebody listens on this port of loopback, over IPv4 or IPv6, or bars it by a socket."""
    listens = _refuses(socket.AF_INET, LOOPBACK, port) or _refuses(socket.AF_INET6, "::1", port)
    return listens or bool(barrier(port))


def barrier(port: int) -> str:
    """Give the socket of another user that keeps an object store of ours from this port; empty for none."""
    places = (Path(SOCKETS.format(kind, port)) for kind in SOCKET_KINDS)
    return next((str(place) for place in places if _is_anothers(place)), "")


def clear(number: int) -> None:
    """Remove the sockets that an object store of another account left beside this port; root alone can."""
    if os.getuid() == 0 and not is_taken(number):
        for kind in SOCKET_KINDS:
            Path(SOCKETS.format(kind, number)).unlink(missing_ok=True)


def _is_anothers(place: Path) -> bool:
    try:
        return os.getuid() != 0 and place.lstat().st_uid != os.getuid()
    except OSError:
        return False


def _refuses(family: int, address: str, port: int) -> bool:
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except OSError as error:
        return error.errno == errno.EADDRINUSE
    return False


def holders(numbers: Iterable[int], marked: Callable[[], Mapping[int, bool]]) -> dict[int, str]:
    """Give the strangers who hold ports, by port, each as `name (pid N)`; what is free or ours is left out.

    `marked` gives the pids that bear our marks, each with whether it proves to be ours.
    """
    taken = [port for port in numbers if is_taken(port)]
    if not taken:
        return {}
    listeners, known = _listeners(), marked()
    seen = {port: listeners.get(port, []) for port in taken}
    return {
        port: _holder(port, pids, known)
        for port, pids in seen.items()
        if not any(known.get(pid) for pid in pids)
    }


def _holder(port: int, pids: Sequence[int], marked: Mapping[int, bool]) -> str:
    if barrier(port):
        return f"what another user left: {barrier(port)}"
    doubt = f" {UNPROVEN}" if marked.keys() & set(pids) else ""
    return f"{_described(pids[0])}{doubt}" if pids else "a process of another user"


def _listeners() -> dict[int, list[int]]:
    """Give the pids that listen, by port; those of other users are shown to root alone."""
    found: dict[int, list[int]] = {}
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return {}
    for one in connections:
        if one.status == psutil.CONN_LISTEN and one.pid and one.laddr:
            found.setdefault(one.laddr.port, []).append(one.pid)
    return found


def _described(pid: int) -> str:
    try:
        return f"{psutil.Process(pid).name()} (pid {pid})"
    except psutil.Error:
        return f"pid {pid}"


def exposed(process: psutil.Process) -> list[str]:
    """Give the addresses that a process listens on and that are not loopback."""
    try:
        found = process.net_connections(kind="tcp")
    except psutil.Error:
        return []
    listening = (one.laddr for one in found if one.status == psutil.CONN_LISTEN and one.laddr)
    return [f"{one.ip}:{one.port}" for one in listening if not ipaddress.ip_address(one.ip).is_loopback]
