"""The one HTTP client of gate and smoke: one request, one deadline for all of it."""

from __future__ import annotations

import contextlib
import http.client
import time
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from infra.model.answer import Answer, Category, NoAnswer
from infra.model.errors import BadInput
from infra.plan.redirect import STATUSES, redirect_fault, redirect_target
from infra.targets.bounded import Wire
from infra.verify.wire import Unanswered, connect, stage

READ_LIMIT = 1 << 20
_MOST_REDIRECTS = 5
_AGENT = "infra-verify"


def ask(
    url: str,
    *,
    method: str = "GET",
    headers: Iterable[tuple[str, str]] = (),
    timeout: float = 5.0,
    ca_file: str | None = None,
    read_limit: int = READ_LIMIT,
) -> Answer | NoAnswer:
    """Give what the address answers, or at which stage no answer came; a retry is up to the caller.

    `timeout` is in seconds and covers everything: name, connection, TLS, redirects and body. Certificates
    are always verified, against `ca_file` alone where one is given. Redirects are followed on the same
    host only (`infra.plan.redirect`). A body is read up to `read_limit` bytes and cut there. Proxy
    variables are not honoured: what is asked is the server itself.
    Raises BadInput for an address or a CA file that cannot be used at all.
    """
    _require_address(url)
    started = time.monotonic()
    limits = _Limits(started + timeout, ca_file, read_limit)
    sent, here = dict(headers), url
    try:
        for _ in range(_MOST_REDIRECTS + 1):
            status, received, body = _exchange(here, method, sent, limits)
            there = redirect_target(here, received["location"]) if _redirects(status, received) else ""
            refused = redirect_fault(here, there) if there else ""
            if refused or not there:
                return Answer(status, received, body, _ms(started), here, refused)
            method = method if status in {307, 308} or method != "POST" else "GET"
            here = there
    except Unanswered as failure:
        return NoAnswer(failure.category, failure.detail, _ms(started), here)
    return Answer(status, received, body, _ms(started), here, "redirect_loop")


def _require_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise BadInput(f"{url!r} is no address; expected http(s)://host[:port]/path")
    if parts.username is not None:
        raise BadInput(f"the address of {parts.hostname} carries credentials; give it without them")


def _redirects(status: int, headers: dict[str, str]) -> bool:
    return status in STATUSES and "location" in headers


def _ms(started: float) -> float:
    return (time.monotonic() - started) * 1000


class _Limits(NamedTuple):
    deadline: float
    ca_file: str | None
    read_limit: int


def _exchange(
    url: str, method: str, headers: dict[str, str], limits: _Limits
) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(url)
    with contextlib.closing(connect(parts, limits.deadline, limits.ca_file)) as sock, stage(Category.CONNECT):
        connection = http.client.HTTPConnection(str(parts.hostname))
        connection.sock = Wire(sock, limits.deadline)
        fixed = {"Host": parts.netloc, "User-Agent": _AGENT, "Connection": "close"}
        connection.request(method, _path(parts), headers=fixed | headers)
        response = connection.getresponse()
        body = response.read(limits.read_limit)
        was_cut_short = response.length and len(body) < limits.read_limit
        if was_cut_short:
            raise http.client.IncompleteRead(body, response.length)
        return response.status, _joined(response.getheaders()), body


def _path(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined
