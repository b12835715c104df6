from __future__ import annotations
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Limits:
    secrets: int = 20
    migrations: int = 30
    server: int = 10
    poll: float = 0.1


@dataclass(frozen=True)
class Environment:
    name: str = "local"
    domain_suffix: str = ""
    app_env: str = "development"
    checkpoints: Limits = field(default_factory=Limits)
    gate_interval: float = 0.1
    watch_seconds: float = 1.0
    health_deadline: int = 60
    default_target: str = "process"
    other_targets: tuple = ("docker", "none")
    services: tuple = ("postgres", "redis", "router", "app")
    secrets_file: str = "local"
    asks_consent: bool = False
