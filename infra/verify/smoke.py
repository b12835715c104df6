"""The smoke test: asks a running stack what its profile lists, and reports what it really saw."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Collection
from typing import NamedTuple
from urllib.parse import urljoin

from infra.model.answer import Answer, NoAnswer
from infra.model.errors import BadInput
from infra.model.smoke import Profile, Row, Toggle
from infra.model.smoke_report import Result, SmokeReport
from infra.plan.expectations import Asked, answer_fault, openapi_address, openapi_fault
from infra.plan.redirect import redirect_fault
from infra.plan.smoke import assign
from infra.verify.http import ask
from infra.verify.smoke_ready import OnWait, Wait, wait_until_ready
from infra.verify.smoke_timing import time_path
from infra.verify.smoke_toggle import toggle_fault

REQUEST_TIMEOUT = 10.0
READY_WAIT = Wait()
OnResult = Callable[[Result], None]


def run(
    profile: Profile,
    base_url: str,
    *,
    environment_name: str,
    mode: str | None = None,
    expected_sha: str | None = None,
    min_checks: int | str | None = None,
    extended: bool = False,
    perf: bool = False,
    perf_limit: float | str | None = None,
    ca_file: str | None = None,
    production_hosts: Collection[str] = (),
    router_url: str = "",
    wait: Wait = READY_WAIT,
    request_timeout: float = REQUEST_TIMEOUT,
    sleep: Callable[[float], None] = time.sleep,
    on_wait: OnWait = lambda _ready: None,
    on_result: OnResult = lambda _result: None,
) -> SmokeReport:
    """Give the report of one smoke run; a failed check is in the report, not an exception.

    `perf_limit` and `request_timeout` are in seconds; a limit asks for the timing too. `on_wait` and
    `on_result` hear of each try and each check as it ends. Raises BadInput for a wrong argument and for
    the backend's own address, Refused for `write` on production, Unreachable when nobody ever answered.
    """
    limit = _seconds(perf_limit)
    assignment = assign(
        profile,
        base_url,
        environment_name=environment_name,
        mode=mode,
        expected_sha=expected_sha,
        min_checks=min_checks,
        extended=extended,
        production_hosts=production_hosts,
    )
    client = _Client(assignment.base_url, request_timeout, ca_file)
    asked = Asked(assignment.base_url, assignment.expected_sha)
    ready = wait_until_ready(profile, client.get, wait, sleep=sleep, on_wait=on_wait, router_url=router_url)
    timed = profile.timed if perf or limit is not None else ()
    return SmokeReport(
        target=assignment.base_url,
        profile=profile.profile,
        environment=assignment.environment,
        mode=assignment.mode,
        expected_sha=assignment.expected_sha,
        minimum=assignment.minimum,
        ready_tries=ready.tries,
        ready_last=str(ready.last),
        checks=tuple(_told(on_result, _check(row, client, asked)) for row in assignment.rows),
        timings=tuple(_told(on_result, time_path(path, client.get, limit)) for path in timed),
    )


def _seconds(limit: float | str | None) -> float | None:
    try:
        seconds = None if limit is None else float(limit)
    except ValueError:
        seconds = 0.0
    if seconds is not None and not 0 < seconds < float("inf"):
        raise BadInput(f"the time limit {limit!r} is no number of seconds above 0")
    return seconds


def _told(on_result: OnResult, result: Result) -> Result:
    on_result(result)
    return result


class _Client(NamedTuple):
    base_url: str
    timeout: float
    ca_file: str | None

    def get(self, path: str) -> Answer | NoAnswer:
        return self.url(self.base_url + path)

    def url(self, url: str) -> Answer | NoAnswer:
        return ask(url, timeout=self.timeout, ca_file=self.ca_file)

    def send(self, row: Row) -> Answer | NoAnswer:
        headers = [(name, text.replace("{origin}", self.base_url)) for name, text in row.headers.items()]
        url = self.base_url + row.path
        return ask(url, method=row.method, headers=headers, timeout=self.timeout, ca_file=self.ca_file)


def _check(row: Row, client: _Client, asked: Asked) -> Result:
    started = time.monotonic()
    toggle = row.expect.toggle
    got, fault = _toggled(row, toggle, client, asked) if toggle else _answered(row, client, asked)
    ms = (time.monotonic() - started) * 1000
    return Result(row.id, row.path, str(row.expect), fault or got, ms, "fail" if fault else "pass")


def _answered(row: Row, client: _Client, asked: Asked) -> tuple[str, str]:
    answer = client.send(row)
    fault = answer_fault(row.expect, answer, asked)
    if row.expect.openapi and not fault and isinstance(answer, Answer):
        fault = _document_fault(answer, client)
    return str(answer), fault


def _document_fault(page: Answer, client: _Client) -> str:
    address = openapi_address(page)
    if not address:
        return "the page names no OpenAPI document"
    url = urljoin(page.url, address)
    return redirect_fault(page.url, url) or openapi_fault(client.url(url))


def _toggled(row: Row, toggle: Toggle, client: _Client, asked: Asked) -> tuple[str, str]:
    read = functools.partial(client.get, toggle.read)
    fault = toggle_fault(toggle, read, lambda: answer_fault(row.expect, client.send(row), asked))
    return f"{toggle.key} changed and restored", fault
