"""What a store still keeps of older versions: values that are in no use, and must not be shown either."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from infra.model.errors import NotFound
from infra.model.secret import Place, Secret
from infra.store.interface import Store

AT_ONCE = 8


def older_values(store: Store, paths: Iterable[tuple[str, str]]) -> Iterator[tuple[Place, Secret]]:
    """Give the values of all versions but the newest, by service and key; `paths` are those of the services.

    In about the time of two reads. Raises as the store does; what is pruned meanwhile is left out. The values
    of a deleted version can be read by nobody until it is brought back.
    """
    named = dict(paths)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        known = zip(named, pool.map(lambda path: _numbers(store, path), named.values()), strict=True)
        wanted = [(service, number) for service, numbers in known for number in numbers]
        found = pool.map(lambda one: _version(store, named[one[0]], one[1]), wanted)
        for (service, _), values in zip(wanted, found, strict=True):
            yield from (((service, key), value) for key, value in values.items())


def _numbers(store: Store, path: str) -> list[int]:
    try:
        known = store.metadata(path)
    except NotFound:
        return []
    return [one.number for one in known.versions if one.state == "live" and one.number != known.current]


def _version(store: Store, path: str, number: int) -> dict[str, Secret]:
    try:
        return dict(store.get(path, number).values)
    except LookupError:
        return {}
