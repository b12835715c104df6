"""What an agent writes now, made in memory from the real values with the caller's rights; keys are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.model import dotenv
from infra.model.errors import BadInput, KnownBad, NotFound
from infra.model.secret import Secret
from infra.plan import agent
from infra.plan.agent_template import evaluate
from infra.store.vault.kv import VaultStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.invocation import Command
    from infra.model.service import Service
    from infra.vault.custody import Custody

COLUMNS = ("key", "kind", "form")


def render(this: Command, custody: Custody, name: str) -> None:
    """Print the keys of the file that a service's agent writes; KnownBad when it would not be whole."""
    service = custody.service(name)
    this.outcome.service = service.name
    stored = _stored(this, custody, service)
    template = _template(custody, service)
    try:
        values = dotenv.parse(evaluate(template, stored))
    except BadInput as error:
        raise _not_whole(custody, service, error.message) from None
    _require_fit(custody, service, values)
    rows = [row for row in agent.rows_of(service, custody.environment) if row.key in values]
    kinds = {spec.key: spec.kind for spec in service.secrets}
    told = [{"key": row.key, "kind": kinds[row.key], "form": row.form} for row in rows]
    this.outcome.facts |= {"path": next(iter(stored), ""), "keys": told}
    this.console.table([COLUMNS, *([row[column] for column in COLUMNS] for row in told)])
    this.console.line(f"{len(told)} keys; the file parses and is whole", "green")


def _stored(this: Command, custody: Custody, service: Service) -> Mapping[str, Mapping[str, Secret]]:
    """Give the values by API path, those that all previews share too; the redactor learns them."""
    mount, project = custody.settings.mount, custody.project
    paths = [agent.secret_path(project, custody.environment, service.name, mount)]
    if agent.is_in_preview_zone(custody.environment):
        paths.append(agent.shared_path(project, service.name, mount))
    found: dict[str, Mapping[str, Secret]] = {}
    for path in paths:
        try:
            found[path] = VaultStore(custody.client, mount).get(path.removeprefix(f"{mount}/data/")).values
        except NotFound:
            continue
        this.redactor.learn(*found[path].values())
    return found


def _template(custody: Custody, service: Service) -> str:
    where = (custody.environment, custody.project, custody.settings.mount, custody.templates)
    files = agent.agent_files(service, *where)
    return next(file.text for file in files if file.name == "secrets.ctmpl")


def _require_fit(custody: Custody, service: Service, values: Mapping[str, str]) -> None:
    specs = [spec for spec in service.secrets if spec.key in values]
    faults = [f"{spec.key} {fault}" for spec in specs if (fault := spec.fault(Secret(values[spec.key])))]
    if faults:
        raise _not_whole(custody, service, "; ".join(faults))


def _not_whole(custody: Custody, service: Service, why: str) -> KnownBad:
    words = f"the agent of {service.name} would not write a whole file: {why}"
    return KnownBad(words, next_step=f"./inv vault.keys --env {custody.environment.name}")
