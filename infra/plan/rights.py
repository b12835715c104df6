"""Which rights at the server a step needs, and which of them are lacking."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from infra.plan.credentials import Step

Right = tuple[str, str]
TUNE = "sys/mounts/auth/approle/tune"
END_TOKEN = "auth/token/revoke-accessor"  # noqa: S105  # a path
_EVERYTHING = "root"
_FOR_ROLE = "auth/approle/role/"


def to_look(role: str) -> tuple[Right, ...]:
    """Give what reading the state of one role takes, each a path and a capability."""
    return (
        (f"{_FOR_ROLE}{role}/secret-id/", "list"),
        (f"{_FOR_ROLE}{role}/secret-id-accessor/lookup", "update"),
        (policy_path(role), "read"),
        (f"{_FOR_ROLE}{role}", "read"),
    )


def to_do(role: str, steps: Iterable[Step], *, has_role: bool) -> tuple[Right, ...]:
    """Give what carrying out these steps for a role takes."""
    return tuple(dict.fromkeys(right for step in steps for right in _to_do(role, step, has_role=has_role)))


def _to_do(role: str, step: Step, *, has_role: bool) -> Iterator[Right]:
    if step.kind == "write-policy":
        yield policy_path(role), "update"
    elif step.kind == "write-role":
        yield f"{_FOR_ROLE}{role}", "update" if has_role else "create"
    elif step.kind == "new-credential":
        yield f"{_FOR_ROLE}{role}/role-id", "read"
        yield f"{_FOR_ROLE}{role}/secret-id", "update"
        yield f"{_FOR_ROLE}{role}/secret-id-accessor/destroy", "update"
    elif step.kind == "destroy-credential":
        yield f"{_FOR_ROLE}{role}/secret-id-accessor/destroy", "update"


def policy_path(name: str) -> str:
    """Give where a policy is."""
    return f"sys/policies/acl/{name}"


def paths_of(role: str) -> tuple[str, ...]:
    """Give all paths that may be touched for one role."""
    mine = f"{_FOR_ROLE}{role}"
    accessor = f"{mine}/secret-id-accessor"
    ways = (mine, f"{mine}/role-id", f"{mine}/secret-id", f"{mine}/secret-id/")
    return (policy_path(role), *ways, f"{accessor}/lookup", f"{accessor}/destroy")


def may(held: Mapping[str, frozenset[str]], *rights: Right) -> bool:
    """Tell whether all of these rights are held."""
    return not lacking(held, rights)


def lacking(held: Mapping[str, frozenset[str]], rights: Iterable[Right]) -> tuple[Right, ...]:
    """Give the rights that are not held, in their order; a root token lacks none."""
    return tuple(
        (path, word) for path, word in rights if not {word, _EVERYTHING} & held.get(path, frozenset())
    )
