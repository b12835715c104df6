"""The policy of who deploys an environment: with it nobody writes a policy or a role."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from infra.model.environment import Environment
from infra.plan.agent import DEPLOYER, PREVIEWS, is_in_preview_zone
from infra.plan.credentials import WRAPPED_FOR
from infra.plan.templates import Templates

_WRITES = ("create", "read", "update", "patch")
_OWN = (
    ("auth/token/lookup-self", ("read",)),
    ("auth/token/renew-self", ("update",)),
    ("auth/token/revoke-self", ("update",)),
    ("sys/capabilities-self", ("update",)),
    ("sys/audit", ("read", "sudo")),
)


@dataclass(frozen=True, slots=True)
class Rule:
    """What may be done at a path; `wrapped` is how many seconds the wrapping of an answer may live."""

    path: str
    capabilities: tuple[str, ...]
    wrapped: int = 0


def deployer_name(project: str, environment: Environment) -> str:
    """Give the name of the policy; all previews share one, as they share their roles."""
    zone = PREVIEWS if is_in_preview_zone(environment) else environment.store_path
    return f"{project}-{zone}-{DEPLOYER}"


def deployer_text(
    roles: Collection[str], environment: Environment, project: str, mount: str, templates: Templates
) -> str:
    """Give the policy's text. Each role stands by itself: a pattern would also let its holder rewrite it."""
    rules = (*_values(environment, project, mount), *(Rule(*own) for own in _OWN), *_roles(roles))
    name = deployer_name(project, environment)
    return templates.render("vault/deployer-policy.hcl.j2", policy=name, rules=rules)


def _values(environment: Environment, project: str, mount: str) -> Iterator[Rule]:
    is_shared = is_in_preview_zone(environment)
    folder = f"{project}/{PREVIEWS if is_shared else environment.store_path}"
    each = f"{folder}/+" if is_shared else folder
    yield Rule(f"{mount}/data/{each}/+", _WRITES)
    yield Rule(f"{mount}/data/{each}/_state/*", _WRITES)
    yield Rule(f"{mount}/metadata/{folder}/*", ("read", "list"))


def _roles(roles: Collection[str]) -> Iterator[Rule]:
    for role in roles:
        yield Rule(f"sys/policies/acl/{role}", ("read",))
        yield Rule(f"auth/approle/role/{role}", ("read",))
        yield Rule(f"auth/approle/role/{role}/role-id", ("read",))
        yield Rule(f"auth/approle/role/{role}/secret-id", ("update",), WRAPPED_FOR)
        yield Rule(f"auth/approle/role/{role}/secret-id/", ("list",))
        for word in ("lookup", "destroy"):
            yield Rule(f"auth/approle/role/{role}/secret-id-accessor/{word}", ("update",))
