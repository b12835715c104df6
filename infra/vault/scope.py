"""Which environments a task of Vault is about, and on which target their agents run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.choices import chosen_environment, chosen_target
from infra.model.environments import environment
from infra.model.errors import BadInput, CannotTell, InfraError, MissingProgram
from infra.vault.entry import NAME
from infra.vault.opened import custody_of, folders_of
from infra.workspace import settings_file

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.environment import Environment, Target
    from infra.model.service import Project
    from infra.vault.custody import Custody

ALWAYS_THERE = ("staging", "production")


@dataclass(frozen=True, slots=True)
class Place:
    """One environment on its target."""

    environment: Environment
    target: Target

    @property
    def fault(self) -> InfraError | None:
        """What keeps this version from delivering there; None where it can."""
        if self.target == "process":
            return None
        name = self.environment.name
        return MissingProgram(
            f"this version cannot deliver to {self.target}",
            next_step=f"rehearse it here: ./inv vault.setup-tokens --env {name} --target process",
        )


def places(this: Command, project: Project, env: str | None, target: str) -> tuple[Place, ...]:
    """Give the environments that are meant, previews before staging, production last.

    Without a name these are all that are deployed; as rehearsals, those that have a Vault here. BadInput for
    an environment without a Vault, CannotTell when there is none to rehearse.
    """
    names = (env,) if env else _deployed(this, project, target)
    return tuple(_place(this, name, target) for name in names)


def custodies(this: Command, project: Project, env: str | None, target: str) -> tuple[Custody, ...]:
    """Give the environment that is chosen; all deployed ones where none is named and the usual has no Vault.

    Nothing is asked of their servers yet; raises what `custody_of` does.
    """
    if env or chosen_environment(this, env).has_vault:
        return (custody_of(this, project, env, target),)
    return tuple(custody_of(this, project, name, target) for name in _deployed(this, project, target))


def _deployed(this: Command, project: Project, target: str) -> tuple[str, ...]:
    """Give the names of all that are deployed, production last; as rehearsals, those that have a Vault."""
    if target != "process":
        return ALWAYS_THERE
    names = [entry.parent.name for entry in folders_of(this, project).state.glob(f"*/{NAME}")]
    if not names:
        raise CannotTell(
            "no environment has a Vault to be rehearsed with", next_step="./inv vault.dev --env staging"
        )
    return tuple(sorted(names, key=_turn))


def _place(this: Command, name: str, target: str) -> Place:
    found = environment(name)
    if not found.has_vault:
        raise BadInput(f"{found.name} keeps its secrets in no Vault", next_step="--env staging")
    return Place(found, chosen_target(found, target, settings_file.load(this.root)))


def _turn(name: str) -> tuple[int, str]:
    return (ALWAYS_THERE.index(name) + 1 if name in ALWAYS_THERE else 0), name
