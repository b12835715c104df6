"""The smoke test against stacks that are whole, broken, late, foreign or not there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.model.answer import Answer, Category, NoAnswer
from infra.model.errors import BadInput, Refused, Unreachable
from infra.model.smoke import Profile
from infra.model.smoke_report import COLUMNS, Result, SmokeReport
from infra.verify import smoke
from infra.verify.http import ask
from infra.verify.loopback import Reply, refusing, serving
from infra.verify.smoke_profiles import load_profile
from infra.verify.smoke_ready import Ready, Wait
from infra.verify.smoke_twins import COMMIT, Stack, unhealthy
from tests.doubles.http_server import Site, self_signed, serving_tls

QUICK = Wait(tries=3, pause=5.0)
READY = ("GET", "/api/health")


@pytest.fixture(scope="module")
def profile() -> Profile:
    return load_profile("finance_report", Path(__file__).parents[2])


@pytest.fixture
def stack(profile: Profile) -> Stack:
    return Stack(profile)


@pytest.fixture
def asked() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def url(stack: Stack, asked: list[tuple[str, str]]) -> Iterator[str]:
    def answer(method: str, target: str, headers: Any) -> Reply:
        asked.append((method, target))
        return stack.answer(method, target, headers)

    with serving(answer) as base:
        yield base


def _run(profile: Profile, url: str, **wishes: Any) -> SmokeReport:
    naps: list[float] = []
    given = {"environment_name": "local", "wait": QUICK, "sleep": naps.append, **wishes}
    return smoke.run(profile, url, **given)


def _verdicts(report: SmokeReport) -> dict[str, str]:
    return {one.id: one.verdict for one in report.checks}


def test_a_whole_stack_passes_each_row_in_order_and_the_report_says_what_was_asked(
    profile: Profile, url: str
) -> None:
    report = _run(profile, url, extended=True, expected_sha=COMMIT)
    assert (report.faults, report.exit_code) == ((), 0)
    assert [one.id for one in report.checks] == [
        row.id for row in profile.rows if "local" in row.environments
    ]
    assert (report.target, report.mode, report.environment) == (url, "write", "local")


def test_each_result_is_told_as_it_comes(profile: Profile, url: str) -> None:
    told: list[Result] = []
    report = _run(profile, url, on_result=told.append)
    assert tuple(told) == report.checks


def test_the_report_has_facts_for_programs_and_lines_for_people(profile: Profile, url: str) -> None:
    report = _run(profile, url, expected_sha=COMMIT, perf=True)
    facts = json.loads(json.dumps(report.as_facts()))
    assert facts["target"] == url
    assert facts["executed"] == facts["minimum"] == len(facts["checks"]) == 6
    assert set(facts["checks"][0]) == set(COLUMNS)
    assert [line[1] for line in report.table] == [
        *(one["path"] for one in facts["checks"]),
        *(one["path"] for one in facts["timings"]),
    ]


@pytest.mark.parametrize("expected", [COMMIT, COMMIT[:7], COMMIT.upper()])
def test_the_right_commit_passes_in_full_and_as_a_prefix(profile: Profile, url: str, expected: str) -> None:
    assert _run(profile, url, expected_sha=expected).exit_code == 0


def test_another_commit_fails_the_health_row_at_once(profile: Profile, url: str) -> None:
    report = _run(profile, url, expected_sha=COMMIT[::-1])
    assert report.exit_code == 1
    assert report.ready_tries == 1
    assert "wrong_version" in report.faults[0]


def test_fewer_checks_than_the_minimum_fail_although_each_passed(profile: Profile, url: str) -> None:
    report = _run(profile, url, min_checks="7")
    assert set(_verdicts(report).values()) == {"pass"}
    assert report.faults == ("6 checks executed, at least 7 expected",)


def test_an_environment_without_rows_fails_whatever_the_minimum(profile: Profile, url: str) -> None:
    for minimum in (None, 1):
        assert _run(profile, url, environment_name="github_ci", min_checks=minimum).exit_code == 1


def test_timings_do_not_count_for_the_minimum(profile: Profile, url: str) -> None:
    assert _run(profile, url, min_checks=7, perf=True).exit_code == 1


def test_the_wait_ends_with_the_first_healthy_answer(profile: Profile, stack: Stack, url: str) -> None:
    tries: list[Ready] = []

    def heal(ready: Ready) -> None:
        tries.append(ready)
        stack.altered = {}

    stack.altered = {READY: lambda _: Reply(502, {}, b"Bad Gateway")}
    report = _run(profile, url, on_wait=heal)
    assert (report.exit_code, report.ready_tries) == (0, 2)
    assert [str(one.last) for one in tries] == ["502 Bad Gateway"]


def test_a_stack_that_stays_unhealthy_fails_and_the_last_answer_is_reported(
    profile: Profile, stack: Stack, url: str
) -> None:
    naps: list[float] = []
    stack.altered = {READY: unhealthy}
    report = _run(profile, url, sleep=naps.append)
    assert (report.exit_code, report.ready_tries, naps) == (1, 3, [5.0, 5.0])
    assert "unhealthy" in report.ready_last
    assert _verdicts(report)["2"] == "fail"


def test_by_default_the_wait_is_thirty_tries_five_seconds_apart(profile: Profile) -> None:
    naps: list[float] = []
    with refusing() as nobody, pytest.raises(Unreachable):
        smoke.run(profile, nobody, environment_name="local", sleep=naps.append)
    assert naps == [5.0] * 29


def test_nobody_there_for_the_whole_wait_is_exit_2_with_the_category(profile: Profile) -> None:
    with refusing() as nobody, pytest.raises(Unreachable, match="could not be reached at all") as lost:
        _run(profile, nobody)
    assert lost.value.exit_code == 2
    assert "connect: " in lost.value.message


def test_a_stack_that_dies_after_an_answer_was_reached_and_fails(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([Answer(502, {}, b"", 1.0, "http://localhost/")])
    dead = NoAnswer(Category.CONNECT, "refused", 1.0, "http://localhost/")
    monkeypatch.setattr(smoke, "ask", lambda *_, **__: next(answers, dead))
    report = _run(profile, "http://localhost")
    assert report.exit_code == 1
    assert set(_verdicts(report).values()) == {"fail"}


def test_production_sees_no_write_and_a_wish_to_write_asks_nothing(
    profile: Profile, url: str, asked: list[tuple[str, str]]
) -> None:
    for where in ({"environment_name": "production"}, {"production_hosts": {"127.0.0.1"}}):
        with pytest.raises(Refused):
            _run(profile, url, mode="write", extended=True, **where)
        assert asked == []
        assert _run(profile, url, extended=True, **where).mode == "readonly"
        assert {method for method, _ in asked} == {"GET", "OPTIONS"}
        asked.clear()


def test_the_write_row_leaves_the_state_as_it_was(profile: Profile, stack: Stack, url: str) -> None:
    assert _run(profile, url, extended=True).exit_code == 0
    assert stack.flipped == 2


def test_a_wrong_argument_asks_nothing(profile: Profile, url: str, asked: list[tuple[str, str]]) -> None:
    wishes: list[dict[str, object]] = [
        {"min_checks": "many"},
        {"expected_sha": "main"},
        {"mode": "rw"},
        {"environment_name": "moon"},
        {"perf_limit": "soon"},
        {"perf_limit": 0},
        {"perf_limit": "nan"},
    ]
    for wish in wishes:
        with pytest.raises(BadInput):
            _run(profile, url, **wish)
    assert asked == []


HEALTHY = Reply(body=json.dumps({"status": "healthy", "git_sha": COMMIT}).encode())
MISSING = Reply(404, {"Content-Type": "application/json"}, b'{"detail":"Not Found"}')


def test_the_backends_own_address_is_named_with_the_one_to_use(profile: Profile) -> None:
    backend = Site({"/health": HEALTHY, "/": MISSING})
    with serving(backend.answer) as url, pytest.raises(BadInput, match="backend's own address") as refused:
        _run(profile, url, router_url="http://localhost:3000")
    assert refused.value.next_step == "./inv smoke --base-url http://localhost:3000"


NOT_THE_BACKEND = {
    "a router without routes": Site(),
    "a frontend without its backend": Site({"/health": HEALTHY, "/": Reply(body=b"<!doctype html>")}),
    "a router that says healthy and 404 in plain text": Site({"/health": HEALTHY}),
    "another API": Site({"/": MISSING}),
}


@pytest.mark.parametrize("site", NOT_THE_BACKEND.values(), ids=NOT_THE_BACKEND)
def test_what_is_not_the_backend_is_not_taken_for_it(profile: Profile, site: Site) -> None:
    with serving(site.answer) as url:
        assert _run(profile, url).exit_code == 1


def test_ten_requests_each_are_timed_and_a_quick_stack_passes(
    profile: Profile, url: str, asked: list[tuple[str, str]]
) -> None:
    report = _run(profile, url, perf=True)
    assert [(one.path, one.verdict) for one in report.timings] == [
        ("/api/health", "pass"),
        ("/api/ping", "pass"),
    ]
    assert asked.count(("GET", "/api/health")) == 12


@pytest.mark.parametrize(
    ("limit", "verdict", "exit_code"), [(None, "warn", 0), ("2.4", "fail", 1), (3.0, "warn", 0)]
)
def test_a_slow_stack_warns_and_fails_only_over_the_limit_that_was_given(
    profile: Profile,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    limit: float | str | None,
    verdict: str,
    exit_code: int,
) -> None:
    monkeypatch.setattr(smoke, "ask", lambda *args, **wishes: replace(ask(*args, **wishes), ms=2500.0))
    report = _run(profile, url, perf=True, perf_limit=limit)
    assert {one.verdict for one in report.timings} == {verdict}
    assert (report.exit_code, len(report.warnings)) == (exit_code, 2 if verdict == "warn" else 0)


def test_one_slow_request_of_ten_is_seen(profile: Profile, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([1.0] * 16 + [2500.0] + [1.0] * 100)
    monkeypatch.setattr(smoke, "ask", lambda *args, **wishes: replace(ask(*args, **wishes), ms=next(times)))
    assert [one.verdict for one in _run(profile, url, perf=True).timings] == ["warn", "pass"]


def test_a_timed_request_that_is_not_answered_well_fails(profile: Profile, stack: Stack, url: str) -> None:
    stack.altered = {("GET", "/api/ping"): lambda _: Reply(503)}
    timed = _run(profile, url, perf=True).timings[1]
    assert timed.verdict == "fail"
    assert "10 failed" in timed.got


def test_tls_is_verified_and_a_ca_file_makes_a_private_root_good(
    profile: Profile, stack: Stack, tmp_path: Path
) -> None:
    pair = self_signed(tmp_path)
    with serving_tls(stack.answer, pair) as url:
        assert _run(profile, url, ca_file=str(pair.certificate)).exit_code == 0
        with pytest.raises(Unreachable, match="tls: "):
            _run(profile, url)


def test_a_redirect_to_another_host_fails_the_row_and_is_not_followed(
    profile: Profile, stack: Stack, url: str
) -> None:
    other = Site({"/": Reply(200, {"Content-Type": "text/html"}, b"<!doctype html>")})
    with serving(other.answer) as elsewhere:
        stack.altered = {("GET", "/"): lambda _: Reply(302, {"Location": f"{elsewhere}/"})}
        report = _run(profile, url)
    assert _verdicts(report)["1"] == "fail"
    assert "redirect_other_host" in report.faults[0]
    assert other.asked == []


def test_a_document_on_another_host_is_not_asked_for(profile: Profile, stack: Stack, url: str) -> None:
    other = Site({"/openapi.json": Reply(body=b'{"openapi": "3.1.0"}')})
    with serving(other.answer) as elsewhere:
        page = f"<!doctype html>SwaggerUIBundle({{url: '{elsewhere}/openapi.json'}})".encode()
        stack.altered = {("GET", "/api/docs"): lambda reply: replace(reply, body=page)}
        assert _verdicts(_run(profile, url))["3"] == "fail"
    assert other.asked == []
