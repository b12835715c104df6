"""An environment, resolved: every fact that depends on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["local", "local_ci", "github_ci", "preview", "staging", "production"]
Target = Literal["process", "docker", "ssh", "dokploy", "none"]
SecretStore = Literal["file", "job", "vault"]
AppEnv = Literal["development", "test", "preview", "staging", "production"]
DataKept = Literal["until destroyed", "until the run ends", "until the job ends", "until closed"]
Namespaced = Literal["never", "other checkouts", "always"]
YOUNG_FOR = 60.0


@dataclass(frozen=True, slots=True)
class CheckpointLimits:
    """How long each checkpoint may take, and how often it looks; all in seconds."""

    secrets: int
    migrations: int
    server: int
    poll: float


@dataclass(frozen=True, slots=True)
class Environment:
    """One of the six, or the canary: a row of the table, with its number filled in.

    `suffix` belongs to names, `domain_suffix` to host names only; both are empty in production and locally.
    `tag` tells environments apart in telemetry. `namespaced` says which checkouts have a database and a
    bucket of their own; `bucket` may hold `{project}`. Times are seconds.
    """

    name: str
    kind: Kind
    suffix: str
    domain_suffix: str
    app_env: AppEnv
    tag: str
    default_target: Target
    other_targets: tuple[Target, ...]
    has_application: bool
    has_router: bool
    has_object_store: bool
    secret_store: SecretStore
    secrets_file: str
    store_path: str
    namespaced: Namespaced
    bucket: str
    data_kept: DataKept
    asks_consent: bool
    cpu_weight: int
    health_deadline: int
    checkpoints: CheckpointLimits
    gate_interval: float
    settled_interval: float
    watch_seconds: float

    @property
    def is_deployed(self) -> bool:
        """True where images run by digest, false where code runs from source."""
        return self.kind in {"preview", "staging", "production"}

    @property
    def has_vault(self) -> bool:
        """True where secrets live in Vault and an agent renders them."""
        return self.secret_store == "vault"  # noqa: S105  # the name of a kind of store

    @property
    def is_test(self) -> bool:
        """True where tests run against stores alone, in a database of their own."""
        return self.app_env == "test"

    @property
    def targets(self) -> tuple[Target, ...]:
        """All targets that may run it, the default one first."""
        return (self.default_target, *self.other_targets)

    def interval(self, age: float) -> float:
        """Give the pause between two looks of the gate at containers of this age, in seconds."""
        return self.gate_interval if age < YOUNG_FOR else self.settled_interval
