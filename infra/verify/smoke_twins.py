"""Stacks made from a profile: one that meets it, and broken twins that each break one promise of a row."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from infra.model.smoke import Profile, Row
from infra.verify.loopback import Reply

COMMIT = "0123456789abcdef0123456789abcdef01234567"
_DOCUMENT = "/openapi-of-the-twin.json"
_ELSEWHERE = "http://elsewhere.invalid"
_ENDLESS = 1_000_000
Change = Callable[[Reply], Reply]


@dataclass
class Stack:
    """A whole stack in memory that answers what the profile's rows ask for.

    `altered` changes the reply of one address; `flips` is how often a toggle really changes the state.
    """

    profile: Profile
    altered: Mapping[tuple[str, str], Change] = field(default_factory=dict)
    flips: int = _ENDLESS
    flipped: int = 0

    def answer(self, method: str, target: str, headers: Mapping[str, str]) -> Reply:
        """Give the reply to one request."""
        change = self.altered.get((method, target))
        reply = self._whole(method, target, headers.get("Origin", ""))
        return change(reply) if change else reply

    def _whole(self, method: str, target: str, origin: str) -> Reply:
        rows = (row for row in self.profile.rows if (row.method, row.path) == (method, target))
        row = next(rows, None)
        if row is None:
            return self._beside_the_rows(target)
        if row.expect.toggle and self.flipped < self.flips:
            self.flipped += 1
        reply = _page(row) if row.expect.body == "html" else _json(self._said())
        allowed = {"Access-Control-Allow-Origin": origin} if origin else {}
        return replace(reply, status=row.expect.status[0], headers={**reply.headers, **allowed})

    def _beside_the_rows(self, target: str) -> Reply:
        reads = {row.expect.toggle.read for row in self.profile.rows if row.expect.toggle}
        if target == _DOCUMENT:
            return _json({"openapi": "3.1.0"})
        return _json(self._said()) if target in {self.profile.ready, *reads} else Reply(404)

    def _said(self) -> dict[str, Any]:
        keys = (row.expect.toggle.key for row in self.profile.rows if row.expect.toggle)
        states = dict.fromkeys(keys, "pong" if self.flipped % 2 else "ping")
        return states | _healthy(dependencies={"database": {"status": "ok", "required": True}})


Make = Callable[[Profile], Stack]
Break = tuple[str, Make]


def breaks(row: Row) -> Iterator[Break]:
    """Give the broken twins of a row, at least one for each kind of expectation, with what each does.

    Raises KeyError with the kind for which there is none.
    """
    for kind in row.expect.kinds:
        yield from BREAKS[kind](row)


def unhealthy(_reply: Reply) -> Reply:
    """Give the answer of a stack that says with a 200 that it is unhealthy."""
    return _json(_healthy(status="unhealthy"))


def _page(row: Row) -> Reply:
    document = f"<script>({{url: '{_DOCUMENT}'}})</script>" if row.expect.openapi else ""
    text = f"<!doctype html><title>twin</title>{row.expect.marker or ''}{document}"
    return Reply(headers={"Content-Type": "text/html; charset=utf-8"}, body=text.encode())


def _json(value: object, status: int = 200) -> Reply:
    return Reply(status, {"Content-Type": "application/json"}, json.dumps(value).encode())


def _healthy(**changes: Any) -> dict[str, Any]:
    return {"status": "healthy", "git_sha": COMMIT, "version": "v1.0.0"} | changes


def _at(method: str, path: str, change: Change) -> Make:
    return lambda profile: Stack(profile, altered={(method, path): change})


def _here(row: Row, change: Change) -> Make:
    return _at(row.method, row.path, change)


def _instead(row: Row, reply: Reply) -> Make:
    return _here(row, lambda _: reply)


def _without(text: str) -> Change:
    return lambda reply: replace(reply, body=reply.body.replace(text.encode(), b""))


def _with_status(status: int) -> Change:
    return lambda reply: replace(reply, status=status)


def _allowing(origin: str = "") -> Change:
    headers = {"Access-Control-Allow-Origin": origin} if origin else {}
    return lambda reply: replace(reply, headers=headers)


def _status(row: Row) -> Iterable[Break]:
    for status in sorted({200, 201, 401, 404, 500}.difference(row.expect.status)):
        yield f"{status} instead", _here(row, _with_status(status))
    yield "a redirect to another host", _instead(row, Reply(302, {"Location": _ELSEWHERE}))


def _body(row: Row) -> Iterable[Break]:
    status, other = row.expect.status[0], "json" if row.expect.body == "html" else "html"
    reply = _json(_healthy(), status) if other == "json" else replace(_page(row), status=status)
    yield f"{other} instead", _instead(row, reply)
    yield "an empty body", _here(row, lambda reply: replace(reply, body=b""))


def _health(row: Row) -> Iterable[Break]:
    yield "unhealthy with a 200", _here(row, unhealthy)
    yield "unhealthy with a 503", _instead(row, _json(_healthy(status="unhealthy"), 503))
    yield "another commit", _instead(row, _json(_healthy(git_sha=COMMIT[::-1])))
    yield "no commit", _instead(row, _json(_healthy(git_sha=None)))


def _marker(row: Row) -> Iterable[Break]:
    yield "a page without the marker", _here(row, _without(row.expect.marker or ""))


def _openapi(row: Row) -> Iterable[Break]:
    yield "a page that names no document", _here(row, _without(_DOCUMENT))
    yield "a document that is missing", _at("GET", _DOCUMENT, lambda _: Reply(404))
    yield "a page instead of the document", _at("GET", _DOCUMENT, lambda _: _page(row))
    yield "JSON that is no document", _at("GET", _DOCUMENT, lambda _: _json({}))


def _dependencies(row: Row) -> Iterable[Break]:
    failing = {"database": {"status": "error", "required": True}}
    yield "a required dependency that fails", _instead(row, _json(_healthy(dependencies=failing)))
    yield "no dependency listed", _instead(row, _json(_healthy()))


def _allow_origin(row: Row) -> Iterable[Break]:
    yield "no allowed origin", _here(row, _allowing())
    yield "any origin allowed", _here(row, _allowing("*"))
    yield "another origin allowed", _here(row, _allowing(_ELSEWHERE))


def _toggle(row: Row) -> Iterable[Break]:
    read = row.expect.toggle.read if row.expect.toggle else ""
    yield "a state that does not change", lambda profile: Stack(profile, flips=0)
    yield "a state that cannot be restored", lambda profile: Stack(profile, flips=1)
    yield "a state that cannot be read", _at("GET", read, lambda _: Reply(500))


BREAKS: dict[str, Callable[[Row], Iterable[Break]]] = {
    "status": _status,
    "body": _body,
    "health": _health,
    "marker": _marker,
    "openapi": _openapi,
    "dependencies": _dependencies,
    "allow_origin": _allow_origin,
    "toggle": _toggle,
}
