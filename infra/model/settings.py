"""The settings as values. `invoke.yaml` explains each key; a key that is not here is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from typing import Annotated, Any, Literal, TypeVar

from annotated_types import Interval, Predicate

Port = Annotated[int, Interval(ge=1, le=65535)]
Seconds = Annotated[int, Interval(ge=1, le=86_400)]
Percent = Annotated[float, Interval(ge=0, le=100)]
STRICT: dict[str, Any] = {"extra": "forbid", "strict": True}
Part = TypeVar("Part")


def never_production(name: str) -> bool:
    """Tell whether an unset --env may mean this environment: production is always named."""
    return name.strip().lower() not in {"production", "prod"}


def is_absolute(path: str) -> bool:
    """Tell whether this is a plain absolute path, without `..`, blanks or a closing slash."""
    return bool(re.fullmatch(r"(/[A-Za-z0-9_.-]+)+", path)) and ".." not in path.split("/")


def is_word(text: str) -> bool:
    """Tell whether this can be one segment of a path."""
    return bool(re.fullmatch(r"[a-z0-9][a-z0-9_-]*", text))


def is_host(text: str) -> bool:
    """Tell whether this can be a host's name or address, in lower case and without a port."""
    return bool(re.fullmatch(r"[a-z0-9][a-z0-9._-]*|[0-9a-f:]+", text))


def is_variable(name: str) -> bool:
    """Tell whether this can be the name of an environment variable."""
    return bool(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name))


def is_network(text: str) -> bool:
    """Tell whether this is a network in CIDR form, its host bits zero."""
    from ipaddress import ip_network

    try:
        return "/" in text and bool(ip_network(text))
    except ValueError:
        return False


def is_web_address(text: str) -> bool:
    """Tell whether this is an http or https address without login, query or blanks."""
    return bool(re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d+)?(/[A-Za-z0-9._/-]*)?", text))


def is_object_store(text: str) -> bool:
    """Tell whether this says which object store processes use: our own, none, or that of an address."""
    return text in {"embedded", "none"} or is_web_address(text)


@dataclass(frozen=True)
class Command:
    """How one part of the application is started; empty means the project's own declaration.

    `dev` starts its development server.
    """

    __pydantic_config__ = STRICT
    command: list[str] = field(default_factory=list)
    dev: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class App:
    """Where the application's checkout is, and how its parts start.

    `environment` names variables of the caller's shell that it gets where it runs locally.
    """

    __pydantic_config__ = STRICT
    source: str = "reference_app"
    environment: list[Annotated[str, Predicate(is_variable)]] = field(default_factory=list)
    backend: Command = Command()
    frontend: Command = Command()


@dataclass(frozen=True)
class Programs:
    """Where a server program comes from: `wheel`, `path`, or a file."""

    __pydantic_config__ = STRICT
    postgres: str = "wheel"
    redis: str = "wheel"
    traefik: str = "wheel"
    seaweedfs: str = "wheel"


@dataclass(frozen=True)
class Process:
    """Settings of the process target."""

    __pydantic_config__ = STRICT
    programs: Programs = Programs()
    users: dict[str, str] = field(default_factory=dict)
    database_user: str | None = None


@dataclass(frozen=True)
class Containers:
    """What containers are rendered with: where images of ours live, and where data lies on a host."""

    __pydantic_config__ = STRICT
    registry: str = "ghcr.io/example"
    data_root: Annotated[str, Predicate(is_absolute)] = "/data"
    ingress: str = "dokploy-network"


@dataclass(frozen=True)
class Vault:
    """The Vault of deployed environments; the address is the platform's where none is written."""

    __pydantic_config__ = STRICT
    address: str | None = None
    mount: Annotated[str, Predicate(is_word)] = "secret"
    agent: Literal["openbao", "vault"] = "openbao"
    strict: bool = False
    allow_http: str | None = None
    bound_cidrs: list[Annotated[str, Predicate(is_network)]] = field(default_factory=list)
    nodes: list[Annotated[str, Predicate(is_host)]] = field(default_factory=list)


@dataclass(frozen=True)
class Telemetry:
    """Where records are sent, an OTLP/HTTP receiver's base address; unset means that none are."""

    __pydantic_config__ = STRICT
    endpoint: Annotated[str, Predicate(is_web_address)] | None = None


@dataclass(frozen=True)
class Steps:
    """The commands that check one part of the application: unset is the usual one, empty leaves a step out.

    `format` only looks, `fix` writes. A test command may have `$COVERAGE`, the file for coverage's report.
    """

    __pydantic_config__ = STRICT
    lint: list[str] | None = None
    types: list[str] | None = None
    format: list[str] | None = None
    fix: list[str] | None = None
    test: list[str] | None = None
    build: list[str] | None = None


@dataclass(frozen=True)
class Coverage:
    """How much of the backend's lines its tests have to run, in per cent, and of single packages of it.

    `target` is where the team wants to be: it is printed and fails nothing.
    """

    __pydantic_config__ = STRICT
    lines: Percent = 92
    target: Percent = 97
    packages: dict[str, Percent] = field(default_factory=dict)


@dataclass(frozen=True)
class Code:
    """How the application's checkout is checked, part by part."""

    __pydantic_config__ = STRICT
    backend: Steps = Steps()
    frontend: Steps = Steps()
    coverage: Coverage = Coverage()


@dataclass(frozen=True)
class Drills:
    """Faults that a person asks for, to see what happens."""

    __pydantic_config__ = STRICT
    hold_back_secrets: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class EnvironmentWishes:
    """What a person changes of one environment."""

    __pydantic_config__ = STRICT
    target: Literal["process", "docker", "ssh", "dokploy", "none"] | None = None
    deadline: Seconds | None = None
    data_root: Annotated[str, Predicate(is_absolute)] | None = None


@dataclass(frozen=True)
class Settings:
    """All settings."""

    __pydantic_config__ = STRICT
    default_env: Annotated[str, Predicate(never_production)] = "local"
    default_branch: str = "main"
    internal_domain: str = "example.test"
    app_domain: str | None = None
    app: App = App()
    ports: dict[str, Port] = field(default_factory=dict)
    process: Process = Process()
    object_store: Annotated[str, Predicate(is_object_store)] = "embedded"
    containers: Containers = Containers()
    vault: Vault = Vault()
    telemetry: Telemetry = Telemetry()
    environments: dict[str, EnvironmentWishes] = field(default_factory=dict)
    code: Code = Code()
    drills: Drills = Drills()


def settled(values: Mapping[str, Any], base: Part) -> Part:
    """Give the base with these values in place of its own; they have to be valid already."""
    changes: dict[str, Any] = {}
    for name, value in values.items():
        current = getattr(base, name)
        if is_dataclass(current):
            changes[name] = settled(value, current)
        elif name == "environments":
            changes[name] = {key: settled(one, EnvironmentWishes()) for key, one in value.items()}
        else:
            changes[name] = value
    return replace(base, **changes)  # type: ignore[type-var]  # every part is a dataclass
