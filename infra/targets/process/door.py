"""Sockets in folders of ours: how they are reached, and which process listens at the supervisor's own."""

from __future__ import annotations

import functools
import os
import socket
import struct
from pathlib import Path

import psutil

SOCKET = "supervisor.sock"
PATIENCE = 60.0
ROOM = 107  # bytes of a socket's name
_LOCAL_PEERPID = 2  # macOS, <sys/un.h>


def connect(folder: Path, name: str = SOCKET, patience: float = PATIENCE) -> socket.socket:
    """Give a connection to a socket, that of the supervisor of a run folder; OSError where nobody listens."""
    peer = socket.socket(socket.AF_UNIX)
    peer.settimeout(patience)
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            peer.connect(_address(folder, descriptor, name))
        finally:
            os.close(descriptor)
    except OSError:
        peer.close()
        raise
    return peer


def listener(folder: Path) -> int:
    """Give the pid of the process of our own user that listens in this run folder, 0 for none.

    Nobody else can: the folder is ours.
    """
    try:
        with connect(folder) as peer:
            pid = _pid_of(peer)
        return pid if psutil.Process(pid).uids().real == os.getuid() else 0
    except (OSError, psutil.Error):
        return 0


def _pid_of(peer: socket.socket) -> int:
    if not hasattr(socket, "SO_PEERCRED"):
        return peer.getsockopt(0, _LOCAL_PEERPID)
    said = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid: int = struct.unpack("3i", said)[0]
    return pid


@functools.cache
def short(folder: Path, room: int) -> str:
    """Give a name for a folder that leaves room for a socket's own; it is held open as long as we run."""
    if len(os.fsencode(folder)) + room <= ROOM:
        return str(folder)
    return _short(folder, os.open(folder, os.O_RDONLY | os.O_DIRECTORY))


def _address(folder: Path, descriptor: int, name: str) -> str:
    """Give an address that fits into the 107 bytes of a socket's name, however deep the folder lies."""
    return f"{_short(folder, descriptor)}/{name}"


def _short(folder: Path, descriptor: int) -> str:
    by_number = Path(f"/proc/{os.getpid()}/fd/{descriptor}")  # also what we start finds it there
    return str(by_number if by_number.exists() else folder)
