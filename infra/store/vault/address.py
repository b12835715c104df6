"""Which Vault a token may be sent to: over TLS, or without it to this machine and to one named host."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from infra.model.errors import BadInput

PREFIX = "/v1/"


def checked_address(address: str, allow_http: str = "") -> str:
    """Give the address without a slash at its end; BadInput when a token must not be sent there.

    Without TLS that is this machine only, and the host that `allow_http` names.
    """
    parts = _parts(address)
    if parts.username or parts.query or parts.fragment:
        raise BadInput("vault.address: it is a scheme, a host and a port, without a password or a query")
    if parts.scheme == "http" and not _is_loopback(parts) and parts.hostname != allow_http.lower():
        raise BadInput(
            f"vault.address: {address} is not encrypted: write https://, "
            f"or set vault.allow_http: {parts.hostname}"
        )
    return address.rstrip("/")


def redirected(address: str, path: str, location: str) -> str | None:
    """Give the address that a standby sends us to; None when a token must not follow there.

    A standby names the active node, often another host. Over TLS both have proven who they are. Without it
    nobody has, so only the same host, or this machine, is followed.
    """
    base, found, rest = location.partition(PREFIX)
    if not found or rest != path:
        return None
    try:
        here, there = _parts(address), _parts(base)
    except BadInput:
        return None
    is_same = here.hostname == there.hostname or (_is_loopback(here) and _is_loopback(there))
    is_downgrade = here.scheme == "https" and there.scheme == "http"
    may_follow = not is_downgrade and (here.scheme == "https" or is_same) and not there.username
    return base if may_follow else None


def _parts(address: str) -> SplitResult:
    try:
        parts = urlsplit(address)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise BadInput("vault.address: expected is a URL like https://vault.example.com:8200")
    return parts


def _is_loopback(parts: SplitResult) -> bool:
    try:
        return parts.hostname == "localhost" or ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False
