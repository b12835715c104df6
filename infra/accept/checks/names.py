"""Checks of names: many of them at once, and none twice."""

from __future__ import annotations

from itertools import product

from infra.accept.ground import Ground, exits, on_files, require
from infra.model.acceptance import Evidence
from infra.model.errors import BadInput
from infra.model.namespace import get_namespace
from infra.model.naming import Names, get_s3_bucket

PIECES = ("a", "b", "A", "-", "/", "_", "gw1")
WORKSPACES = (None, "a", "b", "a-b", "a_b", "A", "gw1", "a/b", "_a", "b-")


def namespaces_apart(ground: Ground, at_least: int) -> Evidence:
    """Prove that no two branches and workspaces share a namespace, and that every name of them fits."""
    names = Names(ground.project.name)
    seen: dict[str, tuple[str, str | None]] = {}
    for branch, workspace in _identities():
        try:
            namespace = get_namespace(branch, workspace, None, "/checkout")
        except BadInput:
            continue
        other = seen.setdefault(namespace, (branch, workspace))
        require(other == (branch, workspace), f"{(branch, workspace)} and {other} share {namespace}")
        longest = max(names.get_worker_db_name(namespace, "gw99"), get_s3_bucket(namespace), key=len)
        require(len(longest) <= 63, f"{longest} has more than 63 characters")
    require(len(seen) >= at_least, f"only {len(seen)} namespaces were made, {at_least} are wanted")
    return on_files(f"get_namespace of {len(seen)} branches and workspaces: each its own, every name fits")


def names_printed(ground: Ground, variables: dict[str, str], facts: dict[str, str]) -> Evidence:
    """Prove which names a checkout's tests get where these variables are set."""
    done = exits(ground.trial.inv("test.names --json", **variables))
    found = {name: done.json["facts"].get(name) for name in facts}
    require(found == facts, f"{variables}: {done}, {found} instead of {facts}")
    given = " ".join(f"{name}={value}" for name, value in variables.items())
    told = ", ".join(f"{name} {value}" for name, value in facts.items())
    return on_files(f"{given} {done}, {told}")


def _identities() -> list[tuple[str, str | None]]:
    words = {"".join(pieces) for length in range(1, 5) for pieces in product(PIECES, repeat=length)}
    return list(product(sorted(words), WORKSPACES))
