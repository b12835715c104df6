"""Opens what one command works with: the only place where the rooms are put together."""

from __future__ import annotations

import getpass
import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING

from infra.model.addresses import Addresses
from infra.model.environments import choose, environment
from infra.model.errors import BadInput, MissingProgram
from infra.model.naming import Names, checkout_id
from infra.model.places import Places, Program
from infra.model.record import SUMMARY
from infra.model.urls import store_host
from infra.session import Session
from infra.store.deploys import Records
from infra.store.file_store import FileStore
from infra.store.ledger import Ledger
from infra.store.session_keys import Keys
from infra.targets.process import programs
from infra.targets.process.target import ProcessTarget
from infra.workspace import ports_file, settings_file, templates
from infra.workspace.folders import Folders, folders, work_tree_top

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.environment import Environment
    from infra.model.service import Project
    from infra.model.settings import Settings

BIND = "127.0.0.1"
PATH = "/usr/local/bin:/usr/bin:/bin"


def open_session(
    this: Command, project: Project, env: str | None, target: str, *, service: str = "", claim: bool = False
) -> Session:
    """Give the session of a command; BadInput and MissingProgram say what keeps it from being opened.

    With `claim` the ports that this checkout uses are chosen for good and written down.
    """
    settings = settings_file.load(this.root)
    chosen = environment(choose(env, this.variables.get("DEPLOY_ENV"), settings.default_env))
    this.outcome.env = chosen.name
    _require_service(project, service, chosen)
    _require_target(chosen, target, settings)
    source = (this.root / settings.app.source).resolve()
    checkout = checkout_id(_owner(this.root, source))
    where = folders(project.name, checkout, this.variables, Path.home())
    places = _places(chosen, settings, where, checkout, claim=claim)
    store = FileStore(where.data, chosen.secrets_file, this.root)
    addresses = Addresses(
        postgres=store_host("postgres", Names(project.name), chosen),
        redis=store_host("redis", Names(project.name), chosen),
        ports=dict(places.ports),
        database=project.database,
        role=f"{project.database}_app",
    )
    specs = tuple(spec for service in project.services for spec in service.secrets)
    process_target = ProcessTarget(project, chosen.name, places)
    keys = Keys(store, project.name, chosen.name, specs, addresses, this.redactor)
    keys.readable()  # whatever this command prints, the redactor knows what to mask
    return Session(
        project=project,
        environment=chosen,
        settings=settings,
        places=places,
        target=process_target,
        store=store,
        keys=keys,
        records=Records(Ledger(store, project.name, chosen.name, SUMMARY)),
        templates=templates.load(this.root),
        source=source,
        release=process_target.release_of(source),
        console=this.console,
        outcome=this.outcome,
        actor=getpass.getuser(),
    )


def _require_target(chosen: Environment, asked: str, settings: Settings) -> None:
    own = settings.environments.get(chosen.name)
    target = asked or (own.target if own and own.target else chosen.default_target)
    if target not in chosen.targets:
        raise BadInput(
            f"{chosen.name} cannot run on target {target!r}; it can on {', '.join(chosen.targets)}",
            next_step=f"--target {chosen.default_target}",
        )
    if target != "process" or chosen.kind != "local":
        raise MissingProgram(
            f"target {target} for {chosen.name} is not part of this version: it runs the environment local",
            next_step="./inv finance_report.app.setup --env local",
        )


def _require_service(project: Project, service: str, chosen: Environment) -> None:
    if service and project.service(service).from_source and not chosen.has_application:
        raise BadInput(
            f"{service} is not deployed in {chosen.name}: only the stores are",
            next_step=f"./inv {project.name}.{service}.status --env local",
        )


def _owner(root: Path, source: Path) -> Path:
    """Give the top of the application's checkout; the reference application is a part of this one."""
    return root if source.is_relative_to(root) else work_tree_top(source)


def _places(chosen: Environment, settings: Settings, where: Folders, checkout: str, *, claim: bool) -> Places:
    root = where.state / chosen.name
    found = _programs(settings, where)
    numbers = ports_file.ports(root, where.neighbours, settings.ports.written(), claim=claim)
    user = _database_user(settings.process.database_user) if os.getuid() == 0 else ""
    return Places(
        root=str(root),
        secrets=str(where.memory / chosen.name),
        checkout=checkout,
        bind=BIND,
        ports=numbers,
        programs=found,
        python=programs.python().argv,
        path=PATH,
        database_user=user,
    )


def _database_user(name: str) -> str:
    """Give the user that runs PostgreSQL for root; BadInput for root itself and for nobody known."""
    try:
        is_usable = pwd.getpwnam(name).pw_uid != 0
    except KeyError:
        is_usable = False
    if not is_usable:
        raise BadInput(
            f"process/database_user: {name!r} is no ordinary user of this machine",
            next_step="name one in invoke.local.yaml: process: {database_user: nobody}",
        )
    return name


def _programs(settings: Settings, where: Folders) -> dict[str, Program]:
    wishes = vars(settings.process.programs)
    found = {name: programs.find(name, source) for name, source in wishes.items()}
    if os.getuid() == 0:
        found["postgres"] = programs.copied(found["postgres"], where.state / "programs")
    return {**found, "python": programs.python()}
