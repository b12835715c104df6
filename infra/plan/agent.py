"""A service's Vault agent in one environment: its files, its policy, its role, its path."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from infra.model.container import SECRETS_GROUP
from infra.model.environment import Environment
from infra.model.errors import BadInput
from infra.model.secret import SecretSpec
from infra.model.service import Service
from infra.model.settings import is_word
from infra.model.unit import UnitFile
from infra.plan.templates import Templates

Form = Literal["required", "optional", "shared"]
RENDERED = (("secrets.ctmpl", ".env"), ("versions.ctmpl", ".versions"))
FILES = (
    ("vault-agent.hcl", "vault/vault-agent.hcl.j2"),
    ("secrets.ctmpl", "vault/secrets.ctmpl.j2"),
    ("versions.ctmpl", "vault/versions.ctmpl.j2"),
    ("entrypoint.sh", "vault/agent.sh.j2"),
    ("health.sh", "vault/agent-health.sh.j2"),
)
OWN_TOKEN = (
    ("auth/token/lookup-self", "read"),
    ("auth/token/renew-self", "update"),
    ("auth/token/revoke-self", "update"),
)
PREVIEWS = "preview"
DEPLOYER = "deployer"
_PATH = re.compile(r"""/[^'"\\\x00-\x1f]*""")


@dataclass(frozen=True, slots=True)
class AgentPlaces:
    """Where an agent keeps things, and who owns what it renders; no owner means whoever runs it.

    `secrets` and `token` are memory, `credential` holds role id and secret id, `files` the agent's own files.
    `mode` is that of the rendered files.
    """

    secrets: str = "/vault/secrets"
    token: str = "/vault/token"  # noqa: S105  # a folder
    credential: str = "/vault/cred"
    files: str = "/infra"
    owner: str = "0"
    group: str = SECRETS_GROUP
    mode: str = "0440"

    def __post_init__(self) -> None:
        for path in (self.secrets, self.token, self.credential, self.files):
            if not _PATH.fullmatch(path):
                raise BadInput(f"{path!r}: an absolute path without quotes or backslashes is expected")


CONTAINER = AgentPlaces()


@dataclass(frozen=True, slots=True)
class Row:
    """One key of the rendered file, and how the template takes it.

    A `required` key that is missing fails the whole file. An `optional` one is left out. A `shared` one is
    the environment's own where that is there and not empty, else all previews' common one, which has to be
    there.
    """

    key: str
    form: Form


def agent_files(
    service: Service,
    environment: Environment,
    project: str,
    mount: str,
    templates: Templates,
    places: AgentPlaces = CONTAINER,
) -> tuple[UnitFile, ...]:
    """Give the files of a service's agent; BadInput for a service that has no secrets."""
    if not service.secrets:
        raise BadInput(f"{service.name} has no secrets, so it has no agent")
    facts = {
        "path": secret_path(project, environment, service.name, mount),
        "shared_path": shared_path(project, service.name, mount),
        "rows": rows_of(service, environment),
        "required_keys": [spec.key for spec in service.secrets if spec.required_in(environment.name)],
        "role": role_name(project, environment, service.name),
        "rendered_files": RENDERED,
        "places": places,
    }
    return tuple(UnitFile(name, templates.render(template, **facts)) for name, template in FILES)


def rows_of(service: Service, environment: Environment) -> tuple[Row, ...]:
    """Give the keys of the rendered file in their order there."""
    rows = (Row(spec.key, _form(spec, environment)) for spec in service.secrets)
    return tuple(sorted(rows, key=lambda row: row.key))


def _form(spec: SecretSpec, environment: Environment) -> Form:
    if not spec.required_in(environment.name):
        return "optional"
    return "shared" if is_in_preview_zone(environment) and spec.kind == "operator" else "required"


def policy_text(
    service_name: str, environment: Environment, project: str, mount: str, templates: Templates
) -> str:
    """Give the policy of a service's agent; its name is `role_name`."""
    return templates.render(
        "vault/vault-policy.hcl.j2",
        role=role_name(project, environment, service_name),
        rules=(*_readable(service_name, environment, project, mount), *OWN_TOKEN),
    )


def _readable(
    service: str, environment: Environment, project: str, mount: str
) -> Iterator[tuple[str, Literal["read"]]]:
    folders = [environment.store_path]
    if is_in_preview_zone(environment):
        folders = [f"{PREVIEWS}/+", f"{PREVIEWS}/_shared"]
    for folder in folders:
        for kind in ("data", "metadata"):
            yield f"{_word(mount)}/{kind}/{_word(project)}/{folder}/{_word(service)}", "read"


def role_name(project: str, environment: Environment, service: str) -> str:
    """Give the name of a service's role and policy; previews share three, whatever their number.

    The server writes such names in lower case, so BadInput for a name that it would change or mix up.
    """
    if service == DEPLOYER:
        raise BadInput(f"no service is called {DEPLOYER}: it is the policy of who deploys")
    zone = PREVIEWS if is_in_preview_zone(environment) else environment.store_path
    return f"{_word(project)}-{_word(zone)}-{_word(service)}"


def secret_path(project: str, environment: Environment, service: str, mount: str) -> str:
    """Give the API path of a service's values in an environment; no other pair has the same one."""
    return f"{_word(mount)}/data/{_word(project)}/{environment.store_path}/{_word(service)}"


def shared_path(project: str, service: str, mount: str) -> str:
    """Give the API path of the operator keys that all previews of a service share."""
    return f"{_word(mount)}/data/{_word(project)}/{PREVIEWS}/_shared/{_word(service)}"


def is_in_preview_zone(environment: Environment) -> bool:
    """Tell whether it is one of the previews that share roles; the canary has a path and roles of its own."""
    return environment.store_path.startswith(f"{PREVIEWS}/")


def _word(name: str) -> str:
    if not is_word(name):
        raise BadInput(f"{name!r} cannot stand in a Vault path or role: one word of a-z0-9_- is expected")
    return name
