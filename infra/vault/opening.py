"""Makes a fresh dev server ready for agents: AppRole without lockout, the mount, an audit device."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.model.errors import CannotTell, InfraError
from infra.store.vault.client import VaultClient

OPENS_WITHIN = 15.0
LOOKS_EVERY = 0.02
OWN_MOUNT = "secret"
LAST_LINE = "-----END CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class Opened:
    """What the open server says of itself; `has_audit` is false where it takes no device by its API."""

    cluster: str
    version: str
    has_audit: bool


def open_server(client: VaultClient, mount: str, audit: Path, lives: Callable[[], bool]) -> Opened | None:
    """Give the server once agents can log in; None when it ended or did not open in 15 s."""
    health = _awaited(client, lives)
    if health is None:
        return None
    _must(client, "sys/auth/approle", {"type": "approle"})
    # An agent with an old credential would lock its role for a quarter of an hour.
    _must(client, "sys/mounts/auth/approle/tune", {"user_lockout_config": {"lockout_disable": True}})
    if mount != OWN_MOUNT:
        _must(client, f"sys/mounts/{mount}", {"type": "kv", "options": {"version": "2"}})
    return Opened(str(health["cluster_id"]), str(health["version"]), _has_audit(client, audit))


def certificate_of(file: Path, lives: Callable[[], bool]) -> str:
    """Give the root certificate that a starting server writes, in PEM; empty when it ended or wrote none."""
    deadline = time.monotonic() + OPENS_WITHIN
    while lives() and time.monotonic() < deadline:
        text = file.read_text(encoding="ascii") if file.exists() else ""
        if text.rstrip().endswith(LAST_LINE):
            return text
        time.sleep(LOOKS_EVERY)
    return ""


def _awaited(client: VaultClient, lives: Callable[[], bool]) -> Mapping[str, Any] | None:
    deadline = time.monotonic() + OPENS_WITHIN
    while lives() and time.monotonic() < deadline:
        health = _health(client)
        if health is not None:
            return health
        time.sleep(LOOKS_EVERY)
    return None


def _health(client: VaultClient) -> Mapping[str, Any] | None:
    """Give what the server says of its health, None while it cannot serve yet."""
    try:
        health = client.call("GET", "sys/health", anonymous=True)
        is_mounted = client.call("GET", f"{OWN_MOUNT}/config").status == 200
    except InfraError:
        return None
    return health.body if is_mounted and health.body.get("cluster_id") else None


def _has_audit(client: VaultClient, file: Path) -> bool:
    file.unlink(missing_ok=True)
    answer = client.call("PUT", "sys/audit/file", {"type": "file", "options": {"file_path": str(file)}})
    return not answer.errors


def _must(client: VaultClient, path: str, body: Mapping[str, Any]) -> None:
    answer = client.call("POST", path, body)
    if answer.errors:
        raise CannotTell(f"{path}: {answer.errors[0]}", next_step="end it, and start it anew")
