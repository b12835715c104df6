"""Turns on a file audit device and proves that it writes: `vault.audit-enable`."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from infra.model.errors import KnownBad, Refused
from infra.store.vault.server import LOG

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.store.vault.server import AuditDevice
    from infra.vault.custody import Custody

WRITTEN_WITHIN = 3.0
_TAIL = 1 << 20
_PAUSE = 0.05


def enable(this: Command, custody: Custody, path: str) -> None:
    """Have each request written to a file, values hashed; a device that is there already is left alone.

    KnownBad for a device that writes values in clear, for a server that wants the lines in its own file, and
    for a file that can be read and lacks our own request.
    """
    devices = custody.server.audit_devices()
    if devices:
        this.outcome.outcome = "nothing to do"
    else:
        devices = _enabled(this, custody, path or LOG)
    _require_hashed(devices)
    this.outcome.facts["audit"] = [{"name": one.name, "kind": one.kind, "path": one.path} for one in devices]
    for one in devices:
        this.console.answer(f"{one.kind} audit device {one.name} {one.path}".rstrip())
    this.console.line(_proof(custody, devices), "green")


def _enabled(this: Command, custody: Custody, path: str) -> tuple[AuditDevice, ...]:
    try:
        custody.server.enable_file_audit(path)
    except Refused as refused:
        _by_file(this, path)
        raise KnownBad(
            "this server takes audit devices from its own file only",
            evidence=refused.evidence,
            next_step="write these lines there, send it SIGHUP, and repeat ./inv vault.audit-enable",
        ) from None
    this.outcome.changes = [f"audit device file: {path}"]
    return custody.server.audit_devices()


def _by_file(this: Command, path: str) -> None:
    """Print the lines for the server's own file."""
    lines = ('audit "file" "file" {', "  options {", f"    file_path = {json.dumps(path)}", "  }", "}")
    this.outcome.facts["lines"] = list(lines)
    for line in lines:
        this.console.answer(line)


def _require_hashed(devices: tuple[AuditDevice, ...]) -> None:
    raw = [one.name for one in devices if one.is_raw]
    if raw:
        words = f"audit device {raw[0]} writes values in clear: log_raw is on"
        raise KnownBad(words, next_step=f"vault audit disable {raw[0]}, then ./inv vault.audit-enable")


def _proof(custody: Custody, devices: tuple[AuditDevice, ...]) -> str:
    """Say whether our own request stands in a device's file, as far as this machine can read one."""
    request = custody.server.request_id()
    files = [Path(one.path) for one in devices if one.kind == "file" and one.path]
    readable = [file for file in files if _tail(file) is not None]
    if not readable:
        return "enabled; its file is not on this machine, so no entry was looked for"
    deadline = time.monotonic() + WRITTEN_WITHIN
    while time.monotonic() < deadline:
        if any(request.encode() in (_tail(file) or b"") for file in readable):
            return f"proven: request {request} is written"
        time.sleep(_PAUSE)
    raise KnownBad(f"request {request} is not in {readable[0]}", next_step="./inv vault.status")


def _tail(file: Path) -> bytes | None:
    """Give the end of a file, where new entries are; None when it cannot be read here."""
    with suppress(OSError), file.open("rb") as opened:
        opened.seek(max(0, file.stat().st_size - _TAIL))
        return opened.read(_TAIL)
    return None
