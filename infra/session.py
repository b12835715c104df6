"""What one command works with: an environment of a project, its target, its keys, records and console."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from infra.choices import deadline_of
from infra.console import Console
from infra.model.command_line import CommandLine
from infra.model.environment import Environment
from infra.model.errors import CannotTell
from infra.model.interruption import Interruption
from infra.model.passed import Passed
from infra.model.places import Places
from infra.model.secret import Secret
from infra.model.service import Project, Service
from infra.model.settings import Settings
from infra.model.verdict import Outcome
from infra.plan.agent_process import unit_name
from infra.plan.roster import roster
from infra.plan.templates import Templates
from infra.plan.units import Scene
from infra.store.claim import Claim
from infra.store.deploys import Records
from infra.store.interface import Store
from infra.store.session_keys import Keys
from infra.targets.process import secret_files
from infra.targets.process.target import ProcessTarget
from infra.telemetry import Outbox
from infra.vault.access import Access
from infra.workspace.ports_file import Ports

if TYPE_CHECKING:
    from infra.vault.custody import Custody


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asks of the engine. `lock_wait` is seconds to wait for somebody else's deploy.

    `plan` is the id of the plan that was agreed to; any other one is refused. `deploy` is the id that this
    deploy gets, where somebody has to know it beforehand.
    """

    services: tuple[str, ...]
    force: bool = False
    init: bool = False
    no_rollback: bool = False
    repair_derived: bool = False
    lock_wait: float = 0.0
    reason: str = ""
    plan: str = ""
    deploy: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """One environment of one project on one target, as a command sees it.

    `vault` is the server whose agents render the secrets here, None where the engine renders them itself.
    `is_store_lost` tells that a server held the secrets and ended: `store` is then an empty one.
    """

    project: Project
    environment: Environment
    commands: CommandLine
    settings: Settings
    places: Places
    ports: Ports
    target: ProcessTarget
    store: Store
    keys: Keys
    records: Records
    templates: Templates
    source: Path
    release: str
    console: Console
    outcome: Outcome
    actor: str
    interruption: Interruption = field(default_factory=Interruption)
    claim: Claim = field(default_factory=Claim)
    outbox: Outbox = field(default_factory=Outbox)
    vault: Access | None = None
    is_store_lost: bool = False

    @property
    def passed(self) -> Passed:
        """The caller's variables that the application gets."""
        return self.target.passed

    @property
    def services(self) -> tuple[Service, ...]:
        """The services that this environment has, each after its needs."""
        return roster(self.project, self.environment, "process")

    @property
    def service_names(self) -> tuple[str, ...]:
        """The names of the services that this environment has, each after its needs."""
        return tuple(service.name for service in self.services)

    @property
    def declared_units(self) -> frozenset[str]:
        """The names of all units that this environment may run."""
        return frozenset(name for service in self.services for name in self.unit_names(service))

    def unit_names(self, service: Service) -> tuple[str, ...]:
        """Give the names of a service's units in the order of their start: its agent first, if it has one."""
        agents = (unit_name(service.name),) if self.has_agent(service) else ()
        return (*agents, *(part.name for part in service.parts))

    def has_agent(self, service: Service) -> bool:
        """Tell whether a Vault agent of its own renders this service's secrets here."""
        return bool(self._vault_mount and service.secrets)

    @property
    def _vault_mount(self) -> str:
        has_vault = self.vault is not None or self.is_store_lost
        return self.settings.vault.mount if has_vault else ""

    @property
    def custody(self) -> Custody:
        """The credentials of its agents, as its Vault shows them; CannotTell where no Vault serves it."""
        from infra.vault.custody import Custody

        if self.vault is None:
            raise CannotTell("no Vault serves this environment here", next_step=self.say("status"))
        return Custody(
            project=self.project.name,
            environment=self.environment,
            services=tuple(one for one in self.services if one.secrets),
            settings=self.settings.vault,
            templates=self.templates,
            client=self.vault.client(),
            places=self.places,
        )

    @property
    def store_path(self) -> str:
        """What stands for this environment in paths of the store; previews have a folder of their own."""
        return self.environment.store_path

    @property
    def url(self) -> str:
        """The address that people open."""
        return f"http://{self.places.bind}:{self.places.ports['router']}"

    def address(self, services: tuple[str, ...]) -> str:
        """Give where people find these services: the public address, or host and port of the last one."""
        last = self.project.service(services[-1])
        ports = self.places.ports
        return self.url if last.routes else f"{self.places.bind}:{ports[last.parts[0].name]}"

    @property
    def is_rehearsal(self) -> bool:
        """True when an environment that is deployed elsewhere runs here to be tried."""
        return self.commands.is_rehearsal

    @property
    def deadline(self) -> float:
        """The seconds that the gate waits at most."""
        return float(deadline_of(self.environment, self.settings))

    def readable(self) -> Mapping[str, Mapping[str, Secret]]:
        """Give the values by service: those of the store or, where it is lost, those that lie rendered."""
        if not self.is_store_lost:
            return self.keys.readable()
        files = {name: Path(self.places.secrets_file(name)) for name in self.service_names}
        return {name: secret_files.read(file) for name, file in files.items()}

    def now(self) -> datetime:
        """Give this moment in UTC."""
        return datetime.now(UTC)

    def store_time(self) -> datetime:
        """Give this moment in UTC, by the clock of who keeps the values: its Vault, or this machine."""
        return self.custody.now() if self.vault else self.now()

    def with_needs(self, names: tuple[str, ...]) -> tuple[Service, ...]:
        """Give these services and all that they need, each after its needs."""
        wanted: set[str] = set()
        todo = list(names)
        while todo:
            name = todo.pop()
            if name not in wanted:
                service = self.project.service(name)
                wanted.add(name)
                todo += [*service.needs, *service.beside]
        return tuple(service for service in self.services if service.name in wanted)

    def scene(self, versions: Mapping[str, int]) -> Scene:
        """Give what rendering needs; `versions` are those of the secrets that the units will read."""
        own = {"backend": self.settings.app.backend.command, "frontend": self.settings.app.frontend.command}
        return Scene(
            project=self.project,
            environment=self.environment,
            places=self.places,
            templates=self.templates,
            release=self.release,
            versions=versions,
            public_url=self.url,
            commands={name: tuple(command) for name, command in own.items() if command},
            telemetry=self.settings.telemetry.endpoint or "",
            vault_mount=self._vault_mount,
            passed=self.passed.digest,
        )

    def say(self, task: str) -> str:
        """Give the command line that a person types for a task of this project and environment."""
        return self.commands.say(task)
