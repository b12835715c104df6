"""What the runner list says about one more test run: whether it may begin, and which cache is its own."""

from __future__ import annotations

from collections.abc import Iterable

from infra.model.errors import CannotTell
from infra.model.runner import Runner

INDEXES = range(1, 16)


def require_free(namespace: str, identity: tuple[str, ...], living: Iterable[Runner]) -> None:
    """Refuse a namespace that a living runner holds: its databases would be dropped under it."""
    holder = next((one for one in living if one.namespace == namespace), None)
    if holder is None:
        return
    is_same = holder.identity == identity
    where = "of this checkout" if is_same else f"in {holder.root}"
    raise CannotTell(
        f"tests {where} run in namespace {namespace!r} already (pid {holder.pid}, since {holder.created})",
        next_step="wait for them (./inv test.status), or give this run a WORKSPACE_ID of its own",
    )


def free_index(living: Iterable[Runner]) -> int:
    """Give the cache database that no living runner has; 0 is the application's and never given."""
    taken = {one.index for one in living}
    found = next((index for index in INDEXES if index not in taken), None)
    if found is None:
        raise CannotTell(
            f"{len(INDEXES)} test runs have all databases of the cache", next_step="./inv test.status"
        )
    return found


def are_alone(servers: str, run: str, living: Iterable[Runner]) -> bool:
    """Tell whether nobody but this run uses these servers."""
    return all(one.run == run for one in living if one.servers == servers)
