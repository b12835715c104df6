"""What Traefik does with a path, without Traefik: which route answers it, and what its part is asked for."""

from __future__ import annotations

import posixpath
import re
import string
from collections.abc import Collection, Iterable, Iterator
from itertools import combinations

from infra.model.errors import BadInput
from infra.model.service import Route
from infra.plan.routes import takes

_UNRESERVED = frozenset(f"{string.ascii_letters}{string.digits}-._~")
_REQUEST = re.compile(r"/([A-Za-z0-9._~!$&'()*+,;=:@/\[\]-]|%[0-9A-Fa-f]{2})*(\?[^#\s]*)?")
_PLAIN = re.compile(r"(/(?!\.{1,2}(/|\Z))[A-Za-z0-9._~-]+)+")


def match(routes: Iterable[Route], path: str) -> Route | None:
    """Give the route that answers a request's path, None where only Traefik's own 404 does.

    BadInput for what is no path of a URL (RFC 3986). Traefik picks any of several at one priority;
    `check_table` finds those.
    """
    seen = seen_path(path)
    return max((one for one in routes if takes(one, seen)), key=lambda one: one.priority, default=None)


def forwarded_path(route: Route, path: str) -> str:
    """Give what the route's part is asked for: the path as Traefik sees it, stripped once, and the query."""
    seen, mark, query = seen_path(path), *path.partition("?")[1:]
    if route.strip and takes(route, seen):
        seen = f"/{seen.removeprefix(route.path).removeprefix('/')}"
    return f"{seen}{mark}{query}"


def seen_path(path: str) -> str:
    """Give a request's path as Traefik's rules see it, without the query.

    An escaped letter, digit or one of `-._~` is itself, every other escape stays one: `%2F` is no slash.
    Then `//`, `.` and `..` are resolved. A slash at the end stays. Case counts.
    """
    if not _REQUEST.fullmatch(path):
        raise BadInput(f"{path!r} is no path of a URL", next_step="percent-encode it")
    plain = re.sub("%[0-9A-Fa-f]{2}", lambda found: _normal(found[0]), path.partition("?")[0])
    cleaned = posixpath.normpath(f"/{plain.lstrip('/')}")
    return f"{cleaned}/" if plain.endswith("/") and cleaned != "/" else cleaned


def _normal(escape: str) -> str:
    character = chr(int(escape[1:], 16))
    return character if character in _UNRESERVED else escape.upper()


def check_table(routes: Iterable[Route], paths: Iterable[str], parts: Collection[str]) -> list[str]:
    """Give each fault of a route table as a sentence; none when every path has exactly one right router.

    `paths` are public ones that have to be answered, `parts` are what there is to answer them. BadInput
    for a path that is none.
    """
    rows = sorted(routes, key=lambda row: (-row.priority, row.name, row.path))
    declared = [fault for row in rows for fault in _row_faults(row, parts)]
    between = [fault for first, second in combinations(rows, 2) for fault in _pair_faults(first, second)]
    return [*declared, *between, *(fault for path in paths for fault in _path_faults(rows, path))]


def _row_faults(route: Route, parts: Collection[str]) -> Iterator[str]:
    if route.part not in parts:
        yield f"{route.name}: there is no part {route.part!r}"
    if route.priority < 1:
        yield f"{route.name}: priority {route.priority}, and 0 is none to Traefik: write 1 or more"
    if route.path and not _PLAIN.fullmatch(route.path):
        yield f"{route.name}: {route.path!r} is no plain path, as /word/word without a slash at the end"
    if route.strip and not route.path:
        yield f"{route.name}: without a path there is nothing to strip"


def _pair_faults(higher: Route, lower: Route) -> Iterator[str]:
    if higher.name == lower.name:
        yield f"{higher.name}: two routes have this name"
    if higher.priority == lower.priority:
        if takes(higher, lower.path) or takes(lower, higher.path):
            yield f"{higher.name} and {lower.name} overlap at one priority, {higher.priority}"
    elif not higher.path or (lower.path and takes(higher, lower.path)):
        yield f"{lower.name} is shadowed by {higher.name}: no request ever reaches it"


def _path_faults(rows: list[Route], path: str) -> Iterator[str]:
    seen = seen_path(path)
    found = [row for row in rows if takes(row, seen)]
    if not found:
        yield f"{path}: no route answers it"
        return
    first = [row for row in found if row.priority == found[0].priority]
    if len(first) > 1:
        yield f"{path}: {' and '.join(row.name for row in first)} answer it, all at {found[0].priority}"
    meant = max(found, key=lambda row: len(row.path))
    if meant not in first:
        yield f"{path}: meant for {meant.name} ({meant.part}), answered by {first[0].name} ({first[0].part})"
