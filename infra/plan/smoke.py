"""What a smoke run will do, decided before the first request: target, mode, rows, minimum."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeVar, get_args
from urllib.parse import SplitResult, urlsplit

from infra.model.errors import BadInput, Refused
from infra.model.smoke import EnvironmentKind, Mode, Profile, Row

_PREVIEW = re.compile(r"pr_[1-9][0-9]{0,5}")
_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_COUNT = re.compile(r"[0-9]{1,6}")
Value = TypeVar("Value", str, int)


@dataclass(frozen=True, slots=True)
class Assignment:
    """A smoke run as decided: rows in order, all arguments checked."""

    base_url: str
    environment: str
    mode: Mode
    expected_sha: str | None
    rows: tuple[Row, ...]
    minimum: int


def choose_target(argument: str | None, variable: str | None, computed: str) -> str:
    """Give the base URL: `--base-url`, else `BASE_URL`, else the one computed from the environment.

    None means "not given"; a variable that is set and empty is a fault, not a default. BadInput when both
    are given and differ, when there is none, or when it is not of the form scheme://host[:port].
    """
    chosen = _given_once(("--base-url", argument), ("BASE_URL", variable), _origin)
    return chosen or _origin("the environment's address", computed)


def is_production(origin: str, environment_name: str, production_hosts: Collection[str]) -> bool:
    """Tell whether an address is production: by the environment's name, or by the host that is asked."""
    return environment_name == "production" or _host(origin) in map(_bare, production_hosts)


def choose_commit(argument: str | None, variable: str | None) -> str | None:
    """Give the expected commit of `--expected-sha` or `EXPECTED_SHA`; None when neither is given."""
    return _given_once(("--expected-sha", argument), ("EXPECTED_SHA", variable), _commit)


def choose_minimum(argument: str | None, variable: str | None) -> int | None:
    """Give the number of `--min-checks` or `MIN_CHECKS`; None when neither is given."""
    return _given_once(("--min-checks", argument), ("MIN_CHECKS", variable), _count)


def assign(
    profile: Profile,
    base_url: str,
    *,
    environment_name: str,
    mode: str | None = None,
    expected_sha: str | None = None,
    min_checks: int | str | None = None,
    extended: bool = False,
    production_hosts: Collection[str] = (),
) -> Assignment:
    """Give what to do. BadInput for a wrong argument, Refused for `write` on production.

    Production is recognised by the environment's name and by the host that is asked. Rows apply by
    environment, `extended` and mode; the minimum is their number unless `min_checks` says otherwise.
    """
    origin = _origin("the base URL", base_url)
    only_reads = is_production(origin, environment_name, production_hosts)
    chosen = _mode(mode, origin, only_reads=only_reads)
    kind = _kind(environment_name)
    rows = tuple(
        row
        for row in profile.rows
        if kind in row.environments
        and (extended or row.where == "all")
        and (chosen == "write" or row.mode == "readonly")
    )
    return Assignment(
        base_url=origin,
        environment=environment_name,
        mode=chosen,
        expected_sha=None if expected_sha is None else _commit("the expected commit", expected_sha),
        rows=rows,
        minimum=max(1, len(rows)) if min_checks is None else _count("the minimum", str(min_checks)),
    )


def _given_once(
    argument: tuple[str, str | None],
    variable: tuple[str, str | None],
    read: Callable[[str, str], Value],
) -> Value | None:
    given = {name: read(name, text) for name, text in (argument, variable) if text is not None}
    if len(set(given.values())) > 1:
        both = " and ".join(f"{name}={value}" for name, value in given.items())
        raise BadInput(f"{both} differ", next_step=f"unset {variable[0]} or leave {argument[0]} out")
    return next(iter(given.values()), None)


def _origin(name: str, text: str) -> str:
    """Give scheme://host[:port] in lower case, without the port that the scheme implies."""
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        parts, port = SplitResult("", "", "", "", ""), None
    is_plain = parts.path in {"", "/"} and not (parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not is_plain:
        raise BadInput(f"{name} {text!r} is no base URL; expected http(s)://host[:port]")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    is_implied = port in {None, {"http": 80, "https": 443}[parts.scheme]}
    return f"{parts.scheme}://{host}" + ("" if is_implied else f":{port}")


def _commit(name: str, text: str) -> str:
    commit = text.strip().lower()
    if not _COMMIT.fullmatch(commit):
        raise BadInput(f"{name} {text!r} is no commit; expected 7 to 40 hexadecimal digits")
    return commit


def _count(name: str, text: str) -> int:
    number = text.strip()
    if not _COUNT.fullmatch(number) or int(number) < 1:
        raise BadInput(f"{name} {text!r} is no number of checks; expected 1 or more")
    return int(number)


def _kind(environment: str) -> str:
    kind = "pr" if _PREVIEW.fullmatch(environment) else environment
    known = get_args(EnvironmentKind)
    if kind not in known or environment == "pr":
        names = ", ".join("pr_<N>" if name == "pr" else name for name in known)
        raise BadInput(f"no environment {environment!r}; expected one of {names}")
    return kind


def _mode(asked: str | None, origin: str, *, only_reads: bool) -> Mode:
    if asked not in {None, "readonly", "write"}:
        raise BadInput(f"no mode {asked!r}; expected readonly or write")
    if only_reads and asked == "write":
        raise Refused(f"{origin} is production: smoke only reads there", next_step="leave --mode out")
    return "readonly" if only_reads or asked == "readonly" else "write"


def _host(origin: str) -> str:
    return _bare(str(urlsplit(origin).hostname))


def _bare(host: str) -> str:
    return host.strip().lower().rstrip(".")
