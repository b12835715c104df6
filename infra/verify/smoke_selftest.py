"""Proves that the smoke test can fail: a whole stack, and a broken twin for each promise of each row."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial

from infra.model.answer import Category, NoAnswer
from infra.model.errors import BadInput, InfraError
from infra.model.smoke import Profile, Row
from infra.model.smoke_report import Result, SelfTestReport, SmokeReport
from infra.plan.smoke_profile import parse_profile
from infra.verify import smoke
from infra.verify.http import ask
from infra.verify.loopback import dripping, hanging, refusing, serving
from infra.verify.smoke_ready import Wait
from infra.verify.smoke_twins import COMMIT, Stack, breaks, unhealthy

_PATIENCE = 0.2
_GRACE = 1.0
_BEGINNING = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
_ONCE = Wait(tries=1, pause=0.0)
OnResult = Callable[[Result], None]


def self_test(profile: Profile, *, on_result: OnResult = lambda _result: None) -> SelfTestReport:
    """Give the proof that each row passes on a whole stack and fails on each of its broken twins.

    Servers listen on loopback only and end with the call. A row with an expectation for which there is no
    broken twin is a fault. Waits are cut to 0.2 s, so that the whole proof takes seconds.
    """
    proofs = []
    for proof in _proofs(profile):
        on_result(proof)
        proofs.append(proof)
    return SelfTestReport(profile.profile, tuple(proofs))


def _proofs(profile: Profile) -> Iterator[Result]:
    for row in profile.rows:
        alone = profile.model_copy(update={"rows": (row,)})
        yield _proof(row.id, row.path, "passes on a whole stack", partial(_faults, Stack(alone), alone))
        yield from _twins(alone, row)
    yield _proof("profile", "", "an empty profile fails", _empty_profile)
    yield _proof("run", "", "a run without checks fails", partial(_no_checks, profile))
    yield _proof("run", profile.ready, "unhealthy fails", partial(_unhealthy, profile))
    yield _proof("http", "", "a refused connection is `connect`", _refused)
    yield _proof("http", "", "a hanging server ends in time", partial(_late, hanging()))
    yield _proof("http", "", "a dripping server ends in time", partial(_late, dripping(_BEGINNING)))


def _proof(name: str, path: str, promise: str, fault: Callable[[], str]) -> Result:
    started = time.monotonic()
    try:
        found = fault()
    except InfraError as error:
        found = f"{error.kind}: {error.message}"
    ms = (time.monotonic() - started) * 1000
    return Result(name, path, promise, found or "proven", ms, "fail" if found else "pass")


def _twins(alone: Profile, row: Row) -> Iterator[Result]:
    try:
        broken = list(breaks(row))
    except KeyError as kind:
        yield Result(row.id, row.path, "has a broken twin", f"none for {kind}", 0.0, "fail")
        return
    for says, make in broken:
        yield _proof(row.id, row.path, f"fails on {says}", partial(_unnoticed, make(alone), alone))


def _run(stack: Stack, profile: Profile) -> SmokeReport:
    kinds = {kind for row in profile.rows for kind in row.environments}
    kind = min(kinds - {"production"}, default="production")
    with serving(stack.answer) as url:
        return smoke.run(
            profile,
            url,
            environment_name="pr_1" if kind == "pr" else kind,
            expected_sha=COMMIT,
            extended=True,
            wait=_ONCE,
        )


def _faults(stack: Stack, alone: Profile) -> str:
    return "; ".join(_run(stack, alone).faults)


def _unnoticed(stack: Stack, alone: Profile) -> str:
    (check,) = _run(stack, alone).checks
    return "" if check.verdict == "fail" else f"not noticed: {check.got}"


def _empty_profile() -> str:
    try:
        parse_profile("{profile: empty, ready: /health, rows: []}", "empty.yaml")
    except BadInput:
        return ""
    return "accepted"


def _no_checks(profile: Profile) -> str:
    report = _run(Stack(profile), profile.model_copy(update={"rows": ()}))
    return "" if report.exit_code == 1 else "green"


def _unhealthy(profile: Profile) -> str:
    stack = Stack(profile, altered={("GET", profile.ready): unhealthy})
    return "" if _run(stack, profile).exit_code == 1 else "green"


def _refused() -> str:
    with refusing() as url:
        answer = ask(url, timeout=_PATIENCE)
    return "" if isinstance(answer, NoAnswer) and answer.category is Category.CONNECT else str(answer)


def _late(server: AbstractContextManager[str]) -> str:
    with server as url:
        answer = ask(url, timeout=_PATIENCE)
    is_timeout = isinstance(answer, NoAnswer) and answer.category is Category.TIMEOUT
    return (
        "" if is_timeout and answer.ms < 1000 * (_PATIENCE + _GRACE) else f"{answer} after {answer.ms:.0f} ms"
    )
