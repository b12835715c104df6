"""An environment as keys and their audit see it: here with all that runs, elsewhere with its store alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from infra import assembly
from infra.choices import chosen_environment, chosen_target, command_line
from infra.model.addresses import Addresses
from infra.model.hosts import PlatformDomain, platform_host
from infra.model.naming import Names
from infra.model.urls import object_store_url, store_host
from infra.store.session_keys import Keys
from infra.vault.opened import custody_of
from infra.workspace import settings_file

if TYPE_CHECKING:
    from infra.console import Console
    from infra.invocation import Command
    from infra.model.command_line import CommandLine
    from infra.model.environment import Environment, Target
    from infra.model.service import Project, Service
    from infra.model.settings import Settings
    from infra.model.verdict import Outcome
    from infra.store.interface import Store
    from infra.vault.custody import Custody

OBJECT_STORE = "minio"


class Desk(Protocol):
    """What a question about keys needs of an environment; a session is one."""

    @property
    def project(self) -> Project:
        """The project."""

    @property
    def environment(self) -> Environment:
        """The environment."""

    @property
    def services(self) -> tuple[Service, ...]:
        """The services that this environment has, each after its needs."""

    @property
    def store(self) -> Store:
        """Where the values are."""

    @property
    def keys(self) -> Keys:
        """The declared keys in that store."""

    @property
    def custody(self) -> Custody:
        """The credentials of its agents, as its Vault shows them."""

    @property
    def console(self) -> Console:
        """Where a person reads."""

    @property
    def outcome(self) -> Outcome:
        """What programs read."""

    @property
    def commands(self) -> CommandLine:
        """How a person names this environment on a command line."""

    def store_time(self) -> datetime:
        """Give this moment in UTC, by the clock of who keeps the values."""

    def say(self, task: str) -> str:
        """Give the command line of a task of this project and environment."""


@dataclass(frozen=True, slots=True)
class FarDesk:
    """An environment that runs where this version cannot look: its Vault answers, its target does not."""

    project: Project
    environment: Environment
    commands: CommandLine
    services: tuple[Service, ...]
    target: Target
    store: Store
    keys: Keys
    custody: Custody
    console: Console
    outcome: Outcome

    def store_time(self) -> datetime:
        """Give this moment in UTC, by its Vault's clock."""
        return self.custody.now()

    def say(self, task: str) -> str:
        """Give the command line of a task of this project and environment."""
        return self.commands.say(task)


def open_desk(this: Command, project: Project, env: str | None, target: str) -> Desk:
    """Give an environment with its store; whatever the store holds is masked from then on.

    Raises what `open_session` raises, or for one that runs elsewhere what `access_of` does.
    """
    settings = settings_file.load(this.root)
    found = chosen_environment(this, env)
    place = chosen_target(found, target, settings)
    if place == "process" or not found.has_vault:
        return assembly.open_session(this, project, env, target)
    from infra.store.vault.kv import VaultStore

    custody = custody_of(this, project, env, target)
    store = VaultStore(custody.client, settings.vault.mount)
    specs = tuple(spec for service in custody.services for spec in service.secrets)
    addresses = far_addresses(project, found, place, settings)
    commands = command_line(this, project, found, settings, place)
    keys = Keys(store, commands, found.store_path, specs, lambda: addresses, this.redactor)
    this.redactor.later(keys.older)
    return FarDesk(
        project, found, commands, custody.services, place, store, keys, custody, this.console, this.outcome
    )


def far_addresses(
    project: Project, environment: Environment, target: Target, settings: Settings
) -> Addresses:
    """Give where the stores of an environment in containers are reached, by those that run beside them."""
    names = Names(project.name)
    ports = {part.name: part.port for service in project.services for part in service.parts}
    if environment.has_object_store:
        host = names.container(OBJECT_STORE, environment)
        object_store = object_store_url(host, ports[OBJECT_STORE])
    else:
        domain = PlatformDomain(settings.internal_domain)
        object_store = f"https://{platform_host(OBJECT_STORE, domain)}"
    return Addresses(
        postgres=store_host("postgres", names, environment, target),
        redis=store_host("redis", names, environment, target),
        ports=ports,
        database=project.database,
        role=project.role,
        bucket=names.bucket(environment),
        object_store=object_store,
        object_store_login="ROOT" if environment.has_object_store else "",
        project=project.name,
        environment=environment.name,
    )
