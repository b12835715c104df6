"""Declared facts of what a project runs: services, their parts (one part is one container or process)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from infra.model.secret import SecretSpec

Probe = Literal["postgres", "redis", "http", "answers", "agent"]


@dataclass(frozen=True, slots=True)
class Health:
    """How to ask a part whether it is ready; times in seconds, as container health checks take them."""

    probe: Probe
    path: str = "/"
    start_period: int = 30
    interval: int = 5
    timeout: int = 4
    retries: int = 6


@dataclass(frozen=True, slots=True)
class Limits:
    """What a part may use at most. Processes do not enforce them and say so.

    `memory_mib_in_production` is there where production needs another limit than the rest.
    """

    memory_mib: int
    processes: int
    memory_mib_in_production: int = 0


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the route table: what the router sends to a part."""

    name: str
    part: str
    priority: int
    path: str = ""
    strip: bool = False


@dataclass(frozen=True, slots=True)
class Container:
    """What a part is told when it runs in a container; as a process it is told nothing of this.

    `image` is a name in the project's images file; a part of a service `from_source` takes its image from
    the release. `program` stands before `command`, or else before the part's own command; without a program
    the image starts by itself.
    `check` is the health command: it has to fail when the part does not work. `data` is where the data
    folder is mounted, `uid` and `gid` run the part and own that folder. Where its image is built on the
    host, `base` names the image that it is built on, and `build_args` are baked in.
    """

    check: tuple[str, ...]
    image: str = ""
    program: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    data: str = ""
    uid: int = 10001
    gid: int = 10001
    entrypoint: str = ""
    environment: tuple[tuple[str, str], ...] = ()
    base: str = ""
    build_args: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One thing of a service that runs by itself.

    `command` may use `$BIND`, `$PORT`, `$DATA_DIR`, `$RUN_DIR`; the target fills them in.
    `after` names parts of the same service that have to be ready first. `more_ports` are further ports of its
    process, by name: `$MASTER_PORT` in its command stands for the one named `master`. `process_environment`
    is what it is told as a process alone; the words of its command work there too. `development` is the
    command of its development server, which loads anew what is saved.
    """

    name: str
    program: str
    command: tuple[str, ...]
    port: int
    health: Health
    limits: Limits
    entrypoint: str = ""
    folder: str = ""
    after: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    stop_signal: str = "SIGTERM"
    reads_secrets: bool = True
    container: Container | None = None
    more_ports: tuple[tuple[str, int], ...] = ()
    process_environment: tuple[tuple[str, str], ...] = ()
    development: tuple[str, ...] = ()

    @property
    def ports(self) -> dict[str, int]:
        """Its ports by name, as declared: its own, and the further ones of its process."""
        return {self.name: self.port, **{f"{self.name}_{name}": port for name, port in self.more_ports}}


@dataclass(frozen=True, slots=True)
class Service:
    """What is deployed together under one name, with everything that is known of it beforehand.

    `needs` have to be ready before it starts; `beside` are started with it and not waited for.
    `data_version` is the format of its data folder (PostgreSQL's major version), empty when it keeps no data.
    `from_source` tells that it runs the application's code, a release.
    `write_probe` names the probe that writes, reads and removes one value after a deploy.
    `only_with` names what an environment has to have: its own "router", its own "object_store".
    `is_soft` tells that the gate does not wait for it, but its write probe does.
    """

    name: str
    parts: tuple[Part, ...]
    needs: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    secrets: tuple[SecretSpec, ...] = ()
    data_version: str = ""
    from_source: bool = False
    write_probe: str = ""
    only_with: Literal["", "router", "object_store"] = ""
    is_soft: bool = False
    routes: tuple[Route, ...] = field(default=())

    def part(self, name: str) -> Part:
        """Give the part of that name; KeyError if the service has none."""
        for part in self.parts:
            if part.name == name:
                return part
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Project:
    """A project as declared facts: its services and the name of its public host.

    `smoke_profile` and `images` are files of the repository: what a stack answers, and third-party images.
    `acceptance` is the folder of its promises and their checks.
    """

    name: str
    title: str
    host: str
    database: str
    services: tuple[Service, ...]
    smoke_profile: str
    images: str = ""
    acceptance: str = ""

    @property
    def role(self) -> str:
        """The database role that the application logs in as."""
        return f"{self.database}_app"

    def service(self, name: str) -> Service:
        """Give the service of that name; KeyError if the project has none."""
        for service in self.services:
            if service.name == name:
                return service
        raise KeyError(name)

    @property
    def routes(self) -> tuple[Route, ...]:
        """All rows of the route table, highest priority first."""
        rows = [route for service in self.services for route in service.routes]
        return tuple(sorted(rows, key=lambda row: -row.priority))
