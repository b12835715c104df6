"""Which Vault a token may be sent to: over TLS, or without it to this machine and to one named host."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from infra.model.errors import BadInput
from infra.model.settings import is_host

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


class Astray(Exception):
    """A redirect that a token must not follow: the words say why, `next_step` what allows it, if anything."""

    def __init__(self, words: str, next_step: str = "") -> None:
        super().__init__(words)
        self.next_step = next_step


def redirected(address: str, path: str, location: str, hosts: Collection[str]) -> str:
    """Give the address that a standby sends us to; Astray when a token must not follow there.

    A standby names the active node, often another host. A certificate says only that a host is the one that
    was named, so `hosts` lists those that may be: the one that we were given, and the nodes of the settings.
    """
    base, found, rest = location.partition(PREFIX)
    try:
        here, there = _parts(address), _parts(base)
    except BadInput:
        found = ""
    if not found or rest != path or "@" in there.netloc or not is_host(there.hostname or ""):
        raise Astray("it sends us to an address that a token must not follow to")
    if (there.scheme, there.netloc) == (here.scheme, here.netloc):
        return base
    if there.scheme != "https":
        raise Astray(f"it sends us to {there.hostname} without TLS, and a token must not follow there")
    if there.hostname not in hosts:
        raise Astray(
            f"it sends us to the node {there.hostname}, which vault.nodes does not list",
            next_step=f'vault: {{nodes: ["{there.hostname}"]}} in invoke.yaml, where that node is yours',
        )
    return base


def host_of(address: str) -> str:
    """Give the host of an address, in lower case."""
    return _parts(address).hostname or ""


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
