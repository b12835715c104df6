"""What a command is about: the environment, target and ports that a person chose, or that settings say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.model.command_line import CommandLine
from infra.model.environments import choose, environment
from infra.model.errors import BadInput
from infra.model.passed import Passed, passed
from infra.model.ports import require_known, usual_ports
from infra.model.secret import Secret
from infra.plan.diff import masked
from infra.plan.roster import is_here
from infra.workspace import settings_file

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.environment import Environment, Target
    from infra.model.service import Project
    from infra.model.settings import Settings


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person says about an environment: its name, a target, a release file, images built here."""

    env: str | None = None
    target: str = ""
    release: str = ""
    from_source: bool = False


def chosen_environment(this: Command, env: str | None) -> Environment:
    """Give the environment that a command means, and note it in the outcome."""
    settings = settings_file.load(this.root)
    found = environment(choose(env, this.variables.get("DEPLOY_ENV"), settings.default_env))
    this.outcome.env = found.name
    return found


def chosen_target(found: Environment, asked: str, settings: Settings) -> Target:
    """Give the target that a command means; BadInput lists those that the environment can run on."""
    own = settings.environments.get(found.name)
    target = asked or (own.target if own and own.target else found.default_target)
    for allowed in found.targets:
        if allowed == target:
            return allowed
    raise BadInput(
        f"{found.name} cannot run on target {target!r}; it can on {', '.join(found.targets)}",
        next_step=f"--target {found.default_target}",
    )


def deadline_of(found: Environment, settings: Settings) -> int:
    """Give the seconds that a deploy's gate may take: as a person wrote it, else the environment's own."""
    own = settings.environments.get(found.name)
    return own.deadline if own and own.deadline else found.health_deadline


def command_line(
    this: Command, project: Project, found: Environment, settings: Settings, target: str
) -> CommandLine:
    """Give how a person names this environment, as it runs on this target."""
    meant = environment(choose(None, this.variables.get("DEPLOY_ENV"), settings.default_env)).name
    is_rehearsal = target == "process" and found.default_target != target
    return CommandLine(project.name, found.name, is_meant=meant == found.name, is_rehearsal=is_rehearsal)


def require_service(project: Project, service: str, found: Environment, target: Target) -> None:
    """Refuse a service that this environment does not have on this target."""
    if service and not is_here(project.service(service), found, target):
        raise BadInput(
            f"{service} is not deployed in {found.name}",
            next_step=f"./inv env.show --env {found.name}",
        )


def let_through(this: Command, project: Project) -> Passed:
    """Give the caller's variables that `app.environment` names, and let the redactor mask what looks secret.

    BadInput for a name that the application gets from elsewhere.
    """
    keys = {spec.key for service in project.services for spec in service.secrets}
    found = passed(settings_file.load(this.root).app.environment, this.variables, keys)
    this.redactor.learn(*secret_like(found.values))
    return found


def secret_like(values: Mapping[str, str]) -> list[Secret]:
    """Give the values that look like secrets, by their names or by a login in them."""
    return [Secret(text) for name, text in values.items() if masked(f"{name}={text}") != f"{name}={text}"]


def usual_of(project: Project, settings: Settings) -> dict[str, int]:
    """Give the usual ports of a project's parts; BadInput for a written port of a part that is not there."""
    ports = [part.ports for service in project.services for part in service.parts]
    usual = usual_ports({name: port for one in ports for name, port in one.items()})
    require_known(settings.ports, usual)
    return usual
