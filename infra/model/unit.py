"""What runs and what is sent: neutral units, and the bundle of one service with its digest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from infra.model.container import Box, Mount
from infra.model.service import Health, Limits

MARKERS = ("INFRA_BUNDLE", "INFRA_DEPLOY")
DEVELOPMENT = "development"  # what a development server carries in place of a bundle
RESOURCE_ATTRIBUTES = "OTEL_RESOURCE_ATTRIBUTES"
DEPLOY_ATTRIBUTE = "infra.deploy"


@dataclass(frozen=True, slots=True)
class UnitFile:
    """A file that a unit needs beside its program. It never holds a secret."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Unit:
    """One thing to run; it knows no target's language.

    `environment` holds no secret: secrets come from the file that INFRA_SECRETS_FILE names.
    `needs` are units that have to be ready before this one starts. `box` is its container, if it has one.
    One that `yields` lets all others of its environment start first.
    """

    name: str
    service: str
    program: str
    argv: tuple[str, ...]
    directory: str
    environment: tuple[tuple[str, str], ...]
    port: int
    health: Health
    files: tuple[UnitFile, ...] = ()
    needs: tuple[str, ...] = ()
    stop_signal: str = "SIGTERM"
    user: str = ""
    box: Box | None = None
    yields: bool = False

    def with_markers(self, bundle: str, deploy: str) -> Unit:
        """Give the same unit, marked with the bundle and the deploy that start it, also in its telemetry."""
        kept = tuple(_attributed(pair, deploy) for pair in self.environment if pair[0] not in MARKERS)
        return replace(self, environment=(*kept, ("INFRA_BUNDLE", bundle), ("INFRA_DEPLOY", deploy)))

    @property
    def beside(self) -> Unit:
        """The same without its marks, for what runs beside the unit and is no part of it."""
        kept = tuple(pair for pair in self.environment if pair[0] not in {"INFRA_CHECKOUT", "INFRA_UNIT"})
        return replace(self, environment=kept)

    def as_json(self) -> dict[str, Any]:
        """Give the unit as plain values; `unit_from_json` reads it back."""
        return asdict(self)


def _attributed(pair: tuple[str, str], deploy: str) -> tuple[str, str]:
    """Give a variable with the deploy's id at its end, where that is what the unit reports with."""
    head, mark, _ = pair[1].rpartition(f"{DEPLOY_ATTRIBUTE}=")
    return (pair[0], f"{head}{mark}{deploy}") if mark and pair[0] == RESOURCE_ATTRIBUTES else pair


def unit_from_json(value: dict[str, Any]) -> Unit:
    """Give the unit that `Unit.as_json` wrote."""
    pairs = tuple((str(key), str(text)) for key, text in value["environment"])
    return Unit(
        **{
            **value,
            "argv": tuple(value["argv"]),
            "environment": pairs,
            "health": Health(**value["health"]),
            "files": tuple(UnitFile(**one) for one in value["files"]),
            "needs": tuple(value["needs"]),
            "box": _box_from_json(value["box"]) if value.get("box") else None,
        },
    )


def _box_from_json(value: dict[str, Any]) -> Box:
    plain = {key: _frozen(one) for key, one in value.items()}
    mounts = tuple(Mount(**one) for one in value["mounts"])
    return Box(**{**plain, "limits": Limits(**value["limits"]), "mounts": mounts})


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Bundle:
    """What one service is sent: its units, the code they run and the versions of the secrets they read.

    `release` is 40 hex digits for services that run the application's code, else empty. `text` is the compose
    text with blank marks, `env` the platform's env, both empty for processes. `unread` names what could not
    be read and is part of the digest.
    """

    service: str
    units: tuple[Unit, ...]
    release: str
    secret_versions: tuple[tuple[str, int], ...]
    text: str = ""
    env: str = ""
    unread: tuple[str, ...] = ()

    @property
    def user(self) -> str:
        """The account that the service's servers run as, empty for whoever starts them."""
        return next((unit.user for unit in self.units if unit.health.probe != "agent"), "")

    @property
    def digest(self) -> str:
        """One SHA-256 over all that is sent and the secrets' versions, in 64 hex digits; empty when unknown.

        The marks of bundle and deploy and the wrapped token are blank in what it covers.
        """
        if self.unread:
            return ""
        text = json.dumps(self.as_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """Give the bundle as plain values, as a record keeps it; `bundle_from_json` reads it back."""
        return {
            "service": self.service,
            "units": [unit.as_json() for unit in self.units],
            "release": self.release,
            "secret_versions": [list(pair) for pair in self.secret_versions],
            **{key: getattr(self, key) for key in ("text", "env") if getattr(self, key)},
        }


def bundle_from_json(value: dict[str, Any]) -> Bundle:
    """Give the bundle that `Bundle.as_json` wrote."""
    return Bundle(
        service=value["service"],
        units=tuple(unit_from_json(unit) for unit in value["units"]),
        release=value["release"],
        secret_versions=tuple((str(name), int(number)) for name, number in value["secret_versions"]),
        text=value.get("text", ""),
        env=value.get("env", ""),
    )
