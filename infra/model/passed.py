"""The variables of a caller that `app.environment` lets through to the local application."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from infra.model.errors import BadInput
from infra.model.safety import REQUIRED

FILE = "INFRA_PASSED_FILE"  # how a unit names the file that holds the values
SETTING = "app.environment"
# What our own programs read of the caller, or write themselves: never the application's.
OF_OTHERS = ("BAO_", "DOCKER_", "INFRA_", "VAULT_")
DELIVERED = frozenset(
    {
        *("APP_DIR", "APP_VERSION", "BASE_URL", "BIND", "ENV", "GIT_COMMIT_SHA", "HOME", "LANG", "PATH"),
        *("PORT", "PUBLIC_URL", "PYTHONPATH", "PYTHONUNBUFFERED", "TEST_NAMESPACE", *REQUIRED),
        *("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_RESOURCE_ATTRIBUTES"),
        "OTEL_SERVICE_NAME",
    }
)


@dataclass(frozen=True, slots=True)
class Passed:
    """The values by name, which are for the application alone, and the names that are not set."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    unset: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """A digest of names and values: a changed one is seen where no value stands. Empty for none."""
        text = json.dumps(dict(self.values), sort_keys=True)
        return sha256(text.encode()).hexdigest()[:32] if self.values else ""

    @property
    def words(self) -> tuple[str, ...]:
        """A line for each name that is not set: a person expects it to arrive."""
        return tuple(
            f"! {SETTING}: {name} is not set here, the application goes without it" for name in self.unset
        )


def passed(names: Sequence[str], caller: Mapping[str, str], keys: Collection[str]) -> Passed:
    """Give what is let through; BadInput for a name that is delivered anyhow. `keys` are those of secrets."""
    faults = list(_faults(names, keys))
    if faults:
        raise BadInput(
            f"{SETTING}: {faults[0]}" if len(faults) == 1 else f"{SETTING} has {len(faults)} faults",
            evidence=tuple(faults[1:] and faults),
            next_step=f"take it out of {SETTING} in invoke.yaml",
        )
    values = {name: caller[name] for name in names if name in caller}
    return Passed(values, tuple(name for name in names if name not in caller))


def _faults(names: Sequence[str], keys: Collection[str]) -> Iterator[str]:
    for name in names:
        if name in keys:
            yield f"{name} is a key of a secret, which the application gets from its store"
        elif name in DELIVERED:
            yield f"{name} is what the application gets from here"
        elif name.startswith(OF_OTHERS):
            yield f"{name} is for other programs: none that begins with {', '.join(OF_OTHERS)} is let through"
