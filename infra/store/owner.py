"""Which process is meant, and whether it can be proven that it is gone."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from infra.model.lease import Lease

_NO_MACHINE = "unknown"
_DEAD = {"Z", "X"}
_NEVER = datetime.fromtimestamp(0, UTC)


def this_process(holder: str, run_id: str, reason: str) -> Lease:
    """Give the claim of the running process, not taken yet."""
    pid = os.getpid()
    return Lease(
        holder, run_id, socket.gethostname(), pid, _started(pid) or "", boot(), reason, _NEVER, _NEVER
    )


def is_gone(lease: Lease) -> bool:
    """Tell whether the owner provably ended.

    On this host, after a restart of this machine, or in the same boot and table of processes when its pid is
    free or somebody else's.
    """
    theirs, mine = lease.boot.split(), boot().split()
    if lease.host != socket.gethostname() or len(theirs) != len(mine) or theirs[0] != mine[0]:
        return False
    if theirs[1] != mine[1]:
        return has_rebooted(lease.boot)
    started = _started(lease.pid)
    is_another = bool(lease.pid_started) and started != lease.pid_started
    return theirs == mine and started is not None and (not started or is_another)


def has_rebooted(before: str) -> bool:
    """Tell whether this machine provably started anew since this boot of it was noted."""
    theirs, mine = before.split(), boot().split()
    is_this = len(theirs) == len(mine) and theirs[0] == mine[0] != _NO_MACHINE
    return is_this and theirs[1] != mine[1]


def age_of(lease: Lease, ticks: float) -> float | None:
    """Give the seconds since a lease was written, at `ticks` of our monotonic clock.

    None where its clock is not ours: another host, an earlier boot, or nobody noted it.
    """
    is_ours = lease.host == socket.gethostname() and lease.boot.split()[:2] == boot().split()[:2]
    return ticks - lease.ticks if is_ours and lease.ticks else None


def mark_of(pid: int) -> str:
    """Give what tells a process from all others of its pid, whatever the clock does; empty when it ended."""
    started = _started(pid)
    return f"{boot()} {started}" if started else ""


def _started(pid: int) -> str | None:
    """Give when a process started: empty when it ended, None when that cannot be told."""
    return _started_by_proc(pid) if Path("/proc/self/stat").exists() else _started_by_psutil(pid)


def _started_by_psutil(pid: int) -> str | None:
    import psutil

    try:
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else str(process.create_time())
    except psutil.NoSuchProcess:
        return ""
    except psutil.AccessDenied:
        return None


def _started_by_proc(pid: int) -> str | None:
    """Give the start in clock ticks since boot: unlike a time of day, no clock change moves it."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        # /proc may hide the processes of others (hidepid); a signal's answer does not.
        return None if _takes_signals(pid) else ""
    state, *fields = text.rpartition(")")[2].split()
    return "" if state in _DEAD else fields[18]


def _takes_signals(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def boot() -> str:
    """Give the machine, its boot, and the table of processes in which a pid means something."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{_machine()} {boot} {Path('/proc/self/ns/pid').readlink()}"
    import psutil

    return f"{_NO_MACHINE} {int(psutil.boot_time())} pids"


def _machine() -> str:
    try:
        return Path("/etc/machine-id").read_text(encoding="ascii").strip() or _NO_MACHINE
    except OSError:
        return _NO_MACHINE
