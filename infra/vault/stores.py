"""Which store keeps the secrets of an environment here: a file, or the throw-away Vault of a rehearsal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from infra.model.errors import CannotTell, Refused
from infra.model.places import Program
from infra.plan.agent_process import PROGRAM
from infra.store.file_store import FileStore
from infra.targets.process import credentials, origin, secret_files
from infra.vault.access import Access, access_of, ended, entry_place, start

if TYPE_CHECKING:
    from collections.abc import Iterable

    from infra.invocation import Command
    from infra.model.environment import Environment
    from infra.model.places import Places
    from infra.model.redaction import Redactor
    from infra.model.service import Service
    from infra.model.settings import Settings
    from infra.store.interface import Store
    from infra.workspace.folders import Folders


@dataclass(frozen=True, slots=True)
class Choice:
    """The store of an environment. `vault` is the server whose agents render the secrets, `program` theirs.

    `is_lost` tells that a Vault held them and ended: the store is then an empty one that stands in, good for
    a lease alone.
    """

    store: Store
    vault: Access | None = None
    program: Program | None = None
    is_lost: bool = False


def choose(
    this: Command, settings: Settings, environment: Environment, where: Folders, *, may_be_lost: bool
) -> Choice:
    """Give the store of an environment: a file, unless a rehearsal has a `vault.dev` of its own.

    CannotTell when that one ended, unless the caller can do without what it held.
    """
    on_file = FileStore(where.data, environment.secrets_file, this.root)
    place = entry_place(environment, where) if environment.has_vault else None
    entry = place.read() if place else None
    if place is None or entry is None:
        return Choice(on_file)
    program = Program((entry.program,), f"vault {entry.version}")
    if not entry.is_alive or not place.token_file.exists():
        if may_be_lost:
            return Choice(on_file, program=program, is_lost=True)
        raise ended(environment, entry)
    from infra.store.vault.kv import VaultStore

    access = access_of(this, settings, environment, where, rehearsal=True)
    return Choice(VaultStore(access.client(), settings.vault.mount), access, program)


def require_origin(choice: Choice, environment: Environment, places: Places, project: str) -> None:
    """Refuse data that were made with the secrets of another store: nobody could log in any more."""
    way_out = f"./inv {project}.destroy --env {environment.name} --target process"
    made, now = origin.made_with(places), choice.vault.cluster if choice.vault else origin.FILE_STORE
    if not made or made == now or choice.is_lost:
        return
    if choice.vault is None:
        raise CannotTell(
            f"the data of this rehearsal of {environment.name} need the Vault that they were made with",
            next_step=f"{start(environment)}, or start anew: {way_out}",
        )
    words = "in the file store" if made == origin.FILE_STORE else "in another Vault, which is gone"
    raise Refused(
        f"the data of this rehearsal of {environment.name} were made with secrets {words}", next_step=way_out
    )


def with_program(places: Places, choice: Choice) -> Places:
    """Give the places with the program of the agents; it is the server's own."""
    if choice.program is None:
        return places
    return replace(places, programs={**places.programs, PROGRAM: choice.program})


def learn(redactor: Redactor, places: Places, services: Iterable[Service]) -> None:
    """Let the redactor mask what lies rendered and what was delivered, also when no store answers."""
    for service in services:
        known = credentials.delivered(places, service.name)
        if known is not None:
            redactor.learn(known.wrapped)
        plain = {spec.key for spec in service.secrets if spec.is_plain}
        values = secret_files.read(Path(places.secrets_file(service.name)))
        redactor.learn(*(value for key, value in values.items() if key not in plain))


def in_words(choice: Choice, environment: Environment) -> str:
    """Give a line on where the secrets of a rehearsal are."""
    if choice.vault:
        return f"secrets: Vault at {choice.vault.address} ({choice.vault.origin})"
    if choice.is_lost:
        return "secrets: gone with the Vault that held them"
    return f"secrets: a file of this machine; {start(environment)} brings a Vault"
