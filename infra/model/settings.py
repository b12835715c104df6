"""The settings as values. `invoke.yaml` explains each key; a key that is not here is refused."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[int, Field(ge=1, le=86_400)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Ports(_Part):
    """Ports that a person insists on; one that is not written is chosen."""

    postgres: Port | None = None
    redis: Port | None = None
    router: Port | None = None
    backend: Port | None = None
    frontend: Port | None = None

    def written(self) -> dict[str, int]:
        """Give the ports that are written down, by name."""
        return {name: port for name, port in self.model_dump().items() if port is not None}


class Command(_Part):
    """How one part of the application is started; empty means the project's own declaration."""

    command: tuple[str, ...] = Field(default=(), strict=False)


class App(_Part):
    """Where the application's checkout is, and how its parts start."""

    source: str = "reference_app"
    backend: Command = Command()
    frontend: Command = Command()


class Programs(_Part):
    """Where a server program comes from: `wheel`, `path`, or a file."""

    postgres: str = "wheel"
    redis: str = "wheel"
    traefik: str = "wheel"


class Process(_Part):
    """Settings of the process target."""

    programs: Programs = Programs()
    database_user: str = "nobody"


class Drills(_Part):
    """Faults that a person asks for, to see what happens."""

    hold_back_secrets: tuple[str, ...] = Field(default=(), strict=False)


class EnvironmentWishes(_Part):
    """What a person changes of one environment."""

    target: Literal["process", "docker", "ssh", "dokploy", "none"] | None = None
    deadline: Seconds | None = None


class Settings(_Part):
    """All settings, validated whole."""

    default_env: str = "local"
    default_branch: str = "main"
    internal_domain: str = "example.test"
    app_domain: str | None = None
    app: App = App()
    ports: Ports = Ports()
    process: Process = Process()
    environments: dict[str, EnvironmentWishes] = Field(default_factory=dict)
    drills: Drills = Drills()

    @field_validator("default_env")
    @classmethod
    def _never_production(cls, value: str) -> str:
        if value.strip().lower() in {"production", "prod"}:
            raise ValueError("production is never the default: name it with --env production")
        return value
