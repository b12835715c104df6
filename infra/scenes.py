"""Opens what rendering an environment's containers works with; nothing is asked of any server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from infra.choices import Wishes, chosen_target, usual_of
from infra.model.environments import environment
from infra.model.errors import BadInput
from infra.model.hosts import AppDomain, PlatformDomain
from infra.model.naming import checkout_id
from infra.model.release import Release
from infra.plan.container_scene import ContainerScene
from infra.plan.data_paths import ON_A_HOST, shared_folders
from infra.plan.roster import rehearsed
from infra.workspace import images, release_file, settings_file, templates
from infra.workspace.folders import application_checkout, folders

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.environment import Environment, Target
    from infra.model.service import Project
    from infra.model.settings import Settings


def container_target(found: Environment, asked: str, settings: Settings) -> Target:
    """Give the target whose containers are rendered: the environment's own, else docker."""
    target = chosen_target(found, asked, settings)
    return target if target in {"docker", "ssh", "dokploy"} else "docker"


def scene_of(this: Command, project: Project, found: Environment, wishes: Wishes) -> ContainerScene:
    """Give the scene of one environment's containers; BadInput names the setting or file that is wrong."""
    settings = settings_file.load(this.root)
    _require_apart(project, settings)
    target = container_target(found, wishes.target, settings)
    source = (this.root / settings.app.source).resolve()
    return ContainerScene(
        project=project,
        environment=found,
        target=target,
        templates=templates.load(this.root),
        app_domain=AppDomain(settings.app_domain or settings.internal_domain),
        platform_domain=PlatformDomain(settings.internal_domain),
        images=images.load(this.root, project.images),
        registry=settings.containers.registry,
        ingress_network=settings.containers.ingress,
        data_root=data_root(settings, found),
        vault_mount=settings.vault.mount,
        agent_program=settings.vault.agent,
        is_strict=settings.vault.strict,
        telemetry=settings.telemetry.endpoint or "",
        release=release_file.load(_given(this, wishes.release)) if wishes.release else Release(),
        versions=None if found.has_vault else {},
        ports={} if found.is_deployed else {**usual_of(project, settings), **settings.ports},
        secrets_folder=_secrets_folder(this, project, found, source),
        source=str(source) if wishes.from_source or found.kind == "local" else "",
    )


def data_root(settings: Settings, found: Environment) -> str:
    """Give the folder of a host below which an environment's data lies."""
    own = settings.environments.get(found.name)
    return own.data_root if own and own.data_root else settings.containers.data_root


def _require_apart(project: Project, settings: Settings) -> None:
    """Refuse settings by which two environments would keep their data in one place."""
    roots = {name: data_root(settings, environment(name)) for name in ON_A_HOST}
    shared = tuple(shared_folders(project, roots))
    if shared:
        raise BadInput(
            f"two environments would share a data folder: {shared[0]}",
            evidence=shared[1:],
            next_step="mend containers/data_root or environments/<name>/data_root in invoke.yaml",
        )


def _given(this: Command, name: str) -> Path:
    """Give a file that a person named, from where the person is."""
    return Path(this.variables.get("INV_CWD", ".")) / name


def _secrets_folder(this: Command, project: Project, found: Environment, source: Path) -> str:
    if found.has_vault:
        return ""
    checkout = checkout_id(application_checkout(this.root, source))
    where = folders(project.name, checkout, this.variables, Path.home())
    return str(where.memory / found.name)


def relaxed(project: Project, found: Environment) -> Project:
    """Give the project as a rehearsal of this environment runs it."""
    return rehearsed(project, found) if found.is_deployed else project
