"""Public host names: the domains of applications and platform are two types, never mixed up."""

from __future__ import annotations

import re
from dataclasses import dataclass

from infra.model.environment import Environment
from infra.model.errors import BadInput

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class _Domain:
    name: str

    def __post_init__(self) -> None:
        labels = self.name.split(".")
        if len(labels) < 2 or len(self.name) > 253 or not all(map(_LABEL.fullmatch, labels)):
            raise BadInput(
                f"{self.name!r} is no domain: labels of a-z0-9- joined by dots, without scheme or port",
                next_step="mend internal_domain or app_domain in invoke.yaml",
            )


class AppDomain(_Domain):
    """The domain under which applications are public."""

    __slots__ = ()


class PlatformDomain(_Domain):
    """The domain of the platform: Vault, Dokploy, telemetry, object store. It never carries a suffix."""

    __slots__ = ()


def app_host(name: str, environment: Environment, domain: AppDomain) -> str:
    """Give the public host of an application in an environment; TypeError for the platform's domain."""
    if not isinstance(domain, AppDomain):
        raise TypeError(f"an AppDomain is expected, not {type(domain).__name__}")
    return f"{name}{environment.domain_suffix}.{domain.name}"


def platform_host(name: str, domain: PlatformDomain) -> str:
    """Give the host of a platform service; TypeError for the application's domain."""
    if not isinstance(domain, PlatformDomain):
        raise TypeError(f"a PlatformDomain is expected, not {type(domain).__name__}")
    return f"{name}.{domain.name}"
