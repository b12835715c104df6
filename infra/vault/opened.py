"""Opens the custody of one environment: its server, the caller's token, and where its agents run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from infra.choices import chosen_environment, chosen_target
from infra.model.addresses import LOOPBACK
from infra.model.errors import BadInput
from infra.model.naming import checkout_id
from infra.model.places import Places
from infra.plan.roster import rehearsed, roster, with_object_store
from infra.vault.access import access_of
from infra.vault.custody import Custody
from infra.workspace import settings_file, templates
from infra.workspace.folders import Folders, application_checkout, folders

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.service import Project


def custody_of(this: Command, project: Project, env: str | None, target: str) -> Custody:
    """Give the custody of an environment; nothing is asked of its server yet.

    BadInput for an environment without a Vault, and what `access_of` raises.
    """
    settings = settings_file.load(this.root)
    found = chosen_environment(this, env)
    if not found.has_vault:
        raise BadInput(f"{found.name} keeps its secrets in no Vault", next_step="--env staging")
    place = chosen_target(found, target, settings)
    is_here = place == "process"
    if is_here:
        found = with_object_store(found, settings.object_store)
    here = rehearsed(project, found) if is_here else project
    where = folders_of(this, project)
    access = access_of(this, settings, found, where, rehearsal=is_here)
    return Custody(
        project=project.name,
        environment=found,
        services=tuple(one for one in roster(here, found, place) if one.secrets),
        settings=settings.vault,
        templates=templates.load(this.root),
        client=access.client(),
        places=_places(where, found.name) if is_here else None,
    )


def folders_of(this: Command, project: Project) -> Folders:
    """Give where this machine keeps what belongs to this checkout."""
    source = (this.root / settings_file.load(this.root).app.source).resolve()
    checkout = checkout_id(application_checkout(this.root, source))
    return folders(project.name, checkout, this.variables, Path.home())


def _places(where: Folders, env: str) -> Places:
    """Give where agents keep what they hold and tell; what runs beside them is not looked for."""
    root, secrets = str(where.state / env), str(where.memory / env)
    return Places(root, secrets, "", LOOPBACK, ports={}, programs={}, python=(), path="", users={})
