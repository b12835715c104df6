"""Where a redirect may lead: to the same host and no other."""

from __future__ import annotations

from urllib.parse import SplitResult, urljoin, urlsplit

STATUSES = frozenset({301, 302, 303, 307, 308})
_PORTS = {"http": 80, "https": 443}


def redirect_target(url: str, location: str) -> str:
    """Give the address that a `Location` header means for `url`, without its fragment."""
    return urljoin(url, location).partition("#")[0]


def redirect_fault(url: str, target: str) -> str:
    """Give why the target may not be followed, empty when it may.

    The same scheme, host and port may; so may the same host over https instead of http. Another port of
    one host is another server. Anything that is no address counts as another host.
    """
    try:
        here, there = urlsplit(url), urlsplit(target)
        is_same_server = _server(here) == _server(there)
    except ValueError:
        return "redirect_other_host"
    if there.scheme not in _PORTS or here.hostname != there.hostname or there.username is not None:
        return "redirect_other_host"
    if is_same_server or (here.scheme, there.scheme) == ("http", "https"):
        return ""
    is_downgrade = (here.scheme, there.scheme) == ("https", "http")
    return "redirect_downgrade" if is_downgrade else "redirect_other_host"


def _server(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
