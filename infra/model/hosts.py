"""Public host names: the domains of applications and platform are two types, never mixed up."""

from __future__ import annotations

import re
from dataclasses import dataclass

from infra.model.environment import Environment
from infra.model.errors import BadInput

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_LONGEST = 253


@dataclass(frozen=True, slots=True)
class _Domain:
    name: str

    def __post_init__(self) -> None:
        if not _is_host(self.name):
            raise BadInput(
                f"{self.name!r} is no domain: labels of a-z0-9- joined by dots, without scheme or port",
                next_step="mend internal_domain or app_domain in invoke.yaml",
            )


class AppDomain(_Domain):
    """The domain under which applications are public; BadInput for a text that is no domain."""

    __slots__ = ()


class PlatformDomain(_Domain):
    """The domain of the platform: Vault, Dokploy, telemetry, object store. It never carries a suffix."""

    __slots__ = ()


def app_host(name: str, environment: Environment, domain: AppDomain) -> str:
    """Give the public host of an application in an environment; TypeError for the platform's domain.

    BadInput for an environment that is not deployed: its host would be production's.
    """
    if not isinstance(domain, AppDomain):
        raise TypeError(f"an AppDomain is expected, not {type(domain).__name__}")
    if not environment.is_deployed:
        raise BadInput(f"{environment.name} has no public host", next_step="./inv env.show")
    return _host(f"{name}{environment.domain_suffix}", domain)


def platform_host(name: str, domain: PlatformDomain) -> str:
    """Give the host of a platform service; TypeError for the application's domain."""
    if not isinstance(domain, PlatformDomain):
        raise TypeError(f"a PlatformDomain is expected, not {type(domain).__name__}")
    return _host(name, domain)


def _host(label: str, domain: _Domain) -> str:
    host = f"{label}.{domain.name}"
    if not _LABEL.fullmatch(label) or not _is_host(host):
        raise BadInput(f"{host!r} is no host name", next_step="shorten the name or the domain")
    return host


def _is_host(name: str) -> bool:
    """Tell whether a name has two labels or more and is no IPv4 address (RFC 1123, in lower case)."""
    labels = name.split(".")
    is_well_formed = all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdigit()
    return is_well_formed and len(labels) >= 2 and len(name) <= _LONGEST
