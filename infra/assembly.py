"""Opens what one command works with: the only place where the rooms are put together."""

from __future__ import annotations

import getpass
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from infra import homes
from infra.choices import (
    chosen_environment,
    chosen_target,
    command_line,
    let_through,
    require_service,
    secret_like,
    usual_of,
)
from infra.model.addresses import LOOPBACK, Addresses
from infra.model.command_line import CommandLine
from infra.model.environments import environment
from infra.model.errors import DeletedVersion, MissingProgram
from infra.model.naming import Names, checkout_id
from infra.model.passed import Passed
from infra.model.places import Places, Program
from infra.model.ports import PortsWanted
from infra.model.record import SUMMARY
from infra.model.urls import object_store_url, store_host
from infra.plan.roster import EMBEDDED, rehearsed, roster, with_foreign_store, with_object_store
from infra.plan.telemetry import rehearsal_of
from infra.session import Session
from infra.store.deploys import Records
from infra.store.ledger import Ledger
from infra.store.proof_key import ProofKey
from infra.store.session_keys import Keys
from infra.targets.process import accounts, passed_files, programs, secret_files
from infra.targets.process.target import ProcessTarget
from infra.vault import stores
from infra.workspace import ports_file, settings_file, templates
from infra.workspace.folders import Folders, application_checkout, folders, require_outside_checkouts

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from infra.invocation import Command
    from infra.model.environment import Environment
    from infra.model.secret import Secret
    from infra.model.service import Project
    from infra.model.settings import Settings

LOCAL = "local"
PATH = "/usr/local/bin:/usr/bin:/bin"


def open_session(
    this: Command,
    project: Project,
    env: str | None,
    target: str,
    *,
    service: str = "",
    claim: bool = False,
    may_be_lost: bool = False,
) -> Session:
    """Give the session of a command; BadInput and MissingProgram say what keeps it from being opened.

    With `claim` the ports that this checkout uses are chosen for good and written down. With `may_be_lost`
    a rehearsal is opened although the Vault that held its secrets has ended; else that is CannotTell.
    """
    settings = settings_file.load(this.root)
    chosen = chosen_environment(this, env)
    require_service(project, service, chosen, chosen_target(chosen, target, settings))
    _require_process(project, chosen, target, settings)
    declared, foreign_store = project, _foreign_store(chosen, settings)
    project, chosen = _as_processes(project, chosen, settings)
    require_service(project, service, chosen, "process")
    source, top, where = _on_this_machine(this, project, settings)
    kept = stores.choose(this, settings, chosen, where, may_be_lost=may_be_lost)
    places, ports = _places(project, chosen, settings, where, top, claim=claim)
    places = stores.with_program(places, kept)
    if not may_be_lost:
        stores.require_origin(kept, chosen, places, project.name)
    commands = command_line(this, project, chosen, settings, "process")
    on_processes = _target(this, project, chosen, commands, places, where)
    keys = _keys(this, commands, project, chosen, kept, places, foreign_store)
    held = _held(keys)  # whatever this command prints, the redactor knows what to mask
    stores.learn(this.redactor, places, project.services if chosen.is_deployed or not held else ())
    _announce(this, chosen, kept, _left_out(declared, chosen, held))
    return Session(
        project=project,
        environment=chosen,
        commands=commands,
        settings=settings,
        places=places,
        ports=ports,
        target=on_processes,
        store=kept.store,
        keys=keys,
        records=Records(Ledger(kept.store, project.name, chosen.store_path, SUMMARY)),
        templates=templates.load(this.root),
        source=source,
        release=on_processes.release_of(source),
        console=this.console,
        outcome=this.outcome,
        actor=getpass.getuser(),
        interruption=this.interruption,
        vault=kept.vault,
        is_store_lost=kept.is_lost,
    )


def _target(
    this: Command,
    project: Project,
    chosen: Environment,
    commands: CommandLine,
    places: Places,
    where: Folders,
) -> ProcessTarget:
    passed = _passed(this, project, chosen, places)
    return ProcessTarget(project, commands, places, ProofKey(where.proof_key), passed)


def _passed(this: Command, project: Project, chosen: Environment, places: Places) -> Passed:
    """Give the caller's variables that the application gets: where it runs locally, and in no rehearsal."""
    if chosen.kind != "local":
        return Passed()
    for values in passed_files.known(places):
        this.redactor.learn(*secret_like(values))
    return let_through(this, project)


def ports_in_force(
    this: Command, project: Project, found: Environment
) -> tuple[dict[str, int], frozenset[str]]:
    """Give the ports of an environment's processes in this checkout, and the names of those written down."""
    settings = settings_file.load(this.root)
    _, _, where = _on_this_machine(this, project, settings)
    project, found = _as_processes(project, environment(LOCAL) if found.is_test else found, settings)
    root = where.state / found.name
    ports = ports_file.ports(root, where.neighbours, _ports_wanted(project, found, settings), claim=False)
    return ports, ports_file.recorded(root)


def _on_this_machine(this: Command, project: Project, settings: Settings) -> tuple[Path, Path, Folders]:
    """Give where the application's tree is, the top of its checkout, and where that keeps its things here."""
    source = (this.root / settings.app.source).resolve()
    top = application_checkout(this.root, source)
    return source, top, folders(project.name, checkout_id(top), this.variables, Path.home())


def _held(keys: Keys) -> Mapping[str, Mapping[str, Secret]]:
    """Give the values in the store; none where a newest version is gone, which stops only who needs them."""
    try:
        return keys.readable()
    except DeletedVersion:
        return {}


def _keys(
    this: Command,
    commands: CommandLine,
    project: Project,
    chosen: Environment,
    kept: stores.Choice,
    places: Places,
    foreign_store: str,
) -> Keys:
    services = roster(project, chosen, "process")
    specs = tuple(spec for service in services for spec in service.secrets)
    locate = partial(_addresses, project, chosen, places, foreign_store)

    def rendered(service: str) -> Mapping[str, Secret]:
        """Give what lies rendered; with a Vault its agents render, and it is no store that could be lost."""
        is_ours = kept.vault is None and not kept.is_lost
        return secret_files.read(Path(places.secrets_file(service))) if is_ours else {}

    keys = Keys(kept.store, commands, chosen.store_path, specs, locate, this.redactor, rendered)
    this.redactor.later(keys.older)
    return keys


def _announce(this: Command, chosen: Environment, kept: stores.Choice, left_out: list[str]) -> None:
    """Say of a rehearsal that it is one, where its secrets are, and which of them it goes without."""
    if not chosen.is_deployed:
        return
    this.console.line(f"rehearsal of {chosen.name} on this machine; it is no deploy of it")
    this.console.line(stores.in_words(kept, chosen))
    this.outcome.facts |= {"rehearsal": True, "left_out": left_out}


def _require_process(project: Project, chosen: Environment, asked: str, settings: Settings) -> None:
    """Refuse what this version cannot run: containers, and test environments of their own."""
    target = chosen_target(chosen, asked, settings)
    if target != "process":
        can_rehearse = "process" in chosen.targets and chosen.is_deployed
        way_on = f"--env {chosen.name} --target process" if can_rehearse else "--env local"
        raise MissingProgram(
            f"this version cannot ask target {target}, which {chosen.name} runs on; it can draw its plan",
            next_step=f"rehearse it here: ./inv {project.name}.setup {way_on}"
            if can_rehearse
            else f"./inv {project.name}.setup {way_on}",
        )
    if chosen.is_test:
        raise MissingProgram(
            f"{chosen.name} has no servers of its own: it uses those of local",
            next_step=f"./inv {project.name}.setup --env local",
        )


def _places(
    project: Project, chosen: Environment, settings: Settings, where: Folders, top: Path, *, claim: bool
) -> tuple[Places, ports_file.Ports]:
    """Give where everything is, and the ports that it is made of."""
    root = where.state / chosen.name
    here = {part.program for service in roster(project, chosen, "process") for part in service.parts}
    found = _programs(settings, where, here)
    wanted = _ports_wanted(project, chosen, settings)
    if claim:
        require_outside_checkouts(where)
    numbers = ports_file.ports(root, where.neighbours, wanted, claim=claim)
    if claim:
        homes.remember(where.state, top)
    chosen_accounts = accounts.choose(project.name, project.services, _wishes(settings))
    places = Places(
        root=str(root),
        secrets=str(where.memory / chosen.name),
        checkout=checkout_id(top),
        bind=LOOPBACK,
        ports=numbers,
        programs=found,
        python=programs.python().argv,
        path=PATH,
        users=chosen_accounts.users,
        without_accounts=chosen_accounts.fault,
    )
    return places, ports_file.Ports(root, where.neighbours, wanted, numbers)


def _as_processes(project: Project, chosen: Environment, settings: Settings) -> tuple[Project, Environment]:
    """Give project and environment as they are here: rehearsed, and with the object store of the settings."""
    if _foreign_store(chosen, settings):
        project = with_foreign_store(project)
    found = with_object_store(chosen, settings.object_store)
    return (rehearsed(project, found), rehearsal_of(found)) if found.is_deployed else (project, found)


def _foreign_store(chosen: Environment, settings: Settings) -> str:
    """Give the address of somebody else's object store, where this environment uses one.

    A rehearsal never does: its bucket is named as the real one.
    """
    is_own = settings.object_store in {EMBEDDED, "none"}
    return "" if is_own or chosen.is_deployed or not chosen.has_object_store else settings.object_store


def _addresses(project: Project, chosen: Environment, places: Places, foreign_store: str) -> Addresses:
    names = Names(project.name)
    host = store_host("minio", names, chosen, "process")
    own_store = object_store_url(host, places.ports["minio"]) if chosen.has_object_store else ""
    return Addresses(
        postgres=store_host("postgres", names, chosen, "process"),
        redis=store_host("redis", names, chosen, "process"),
        ports=dict(places.ports),
        database=project.database,
        role=project.role,
        bucket=names.bucket(chosen) if own_store or foreign_store else "",
        object_store=own_store or foreign_store,
        object_store_login="APP" if own_store else "",
        project=project.name,
        environment=chosen.name,
    )


def _ports_wanted(project: Project, chosen: Environment, settings: Settings) -> PortsWanted:
    """Give what needs a port here: the parts of the services that this environment has as processes."""
    here = roster(project, chosen, "process")
    used = {name for service in here for part in service.parts for name in part.ports}
    usual = usual_of(project, settings)
    quiet = {name for service in here if service.is_soft for part in service.parts for name in part.ports}
    return PortsWanted(usual, settings.ports, usual.keys() - used, quiet)


def _left_out(declared: Project, chosen: Environment, held: Mapping[str, Mapping[str, Secret]]) -> list[str]:
    """Give the keys that this environment requires and a rehearsal goes without, until somebody puts them."""
    specs = [spec for service in roster(declared, chosen, "process") for spec in service.secrets]
    required = (spec for spec in specs if spec.required_in(chosen.name) and not spec.required_in("local"))
    return [f"{spec.service}/{spec.key}" for spec in required if spec.key not in held.get(spec.service, {})]


def _wishes(settings: Settings) -> dict[str, str]:
    """Give the accounts that a person named, by service; the older setting names PostgreSQL's alone."""
    older = settings.process.database_user
    return ({"postgres": older} if older else {}) | settings.process.users


def _programs(settings: Settings, where: Folders, used: Collection[str]) -> dict[str, Program]:
    wishes = vars(settings.process.programs)
    found = {name: programs.find(name, source) for name, source in wishes.items() if name in used}
    if os.getuid() == 0:
        found = {name: programs.copied(one, where.neighbours / "programs") for name, one in found.items()}
    return {**found, "python": programs.python()}
