"""A deploy's start, verdict and end are told whatever becomes of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from finance_report import PROJECT
from infra.model.environments import environment
from infra.model.redaction import Redactor
from infra.model.secret import Secret
from infra.model.settings import Settings, Telemetry
from infra.model.unit import Bundle
from infra.model.verdict import Outcome, Verdict
from infra.stages.report import reported, telemetry_filter
from infra.telemetry import Outbox
from infra.verify.loopback import refusing
from tests.doubles.otlp_receiver import Receiver, receiving

CAUSE = "no answer to s3cret-password, 0lder-password"
GOOD, BAD = Verdict(ok=True), Verdict(ok=False, category="timeout", cause=CAUSE)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running
    assert running.faults == []


def session(endpoint: str | None) -> Any:
    """Give what the report needs of a session; `said` holds the lines of its console."""
    redactor = Redactor()
    said: list[str] = []
    redactor.learn(Secret("s3cret-password"))
    redactor.later(lambda: [Secret("0lder-password")])
    return SimpleNamespace(
        project=PROJECT,
        environment=environment("pr_47"),
        settings=Settings(telemetry=Telemetry(endpoint)),
        actor="somebody",
        outbox=Outbox(),
        outcome=Outcome("setup", "pr_47"),
        keys=SimpleNamespace(redactor=redactor),
        console=SimpleNamespace(line=said.append, recall=redactor.recall),
        said=said,
        now=lambda: datetime.now(UTC),
    )


def attempt(deploy: str = "d-1") -> Any:
    """Give an attempt that started 2 s ago and touches two services."""
    bundles = {name: Bundle(name, (), "c" * 40 if name == "app" else "", ()) for name in ("redis", "app")}
    picture = SimpleNamespace(
        wanted=SimpleNamespace(bundles=bundles), plan=SimpleNamespace(operations=[1, 2])
    )
    return SimpleNamespace(deploy=deploy, began=time.time() - 2, picture=picture, services=("redis", "app"))


def told(receiver: Receiver) -> list[tuple[str, str]]:
    mine = [one for one in receiver.records if one.resource["infra.service"] == "app"]
    return [(one.event, one.attributes.get("deploy.verdict", "")) for one in mine]


def test_a_good_deploy_is_told_for_each_service_with_tag_version_and_deploy(receiver: Receiver) -> None:
    its = session(receiver.url)
    with reported(its, attempt()) as report:
        assert report.verdict(GOOD) is GOOD
    assert told(receiver) == [("deploy.start", ""), ("deploy.verdict", "ok"), ("deploy.end", "ok")]
    redis, app = receiver.of("deploy.end")
    assert app.resource == {
        "service.name": "finance-report-deploy",
        "service.version": "c" * 12,
        "deployment.environment": "pr-47",
        "infra.deploy": "d-1",
        "infra.service": "app",
    }
    assert redis.resource["service.version"] == Bundle("redis", (), "", ()).digest[:12]
    assert 2 <= app.attributes["deploy.duration_s"] < 20
    assert app.attributes["event.name"] == "deploy.end"
    assert {one.severity for one in receiver.records} == {9}
    assert its.said == []


def test_a_bad_verdict_is_told_with_its_category_and_its_words_redacted(receiver: Receiver) -> None:
    its = session(receiver.url)
    with reported(its, attempt()) as report:
        report.verdict(BAD)
        its.outcome.outcome = "failed_rolled_back"
    assert told(receiver)[1:] == [("deploy.verdict", "failed"), ("deploy.end", "failed_rolled_back")]
    verdict = receiver.of("deploy.verdict")[1]
    assert (verdict.attributes["deploy.category"], verdict.severity) == ("timeout", 17)
    assert verdict.message == "no answer to ***, ***"
    assert b"s3cret" not in b" ".join(receiver.bodies)
    assert b"0lder" not in b" ".join(receiver.bodies)


def test_a_way_back_inside_a_failed_deploy_is_told_under_its_own_id(receiver: Receiver) -> None:
    its = session(receiver.url)
    with reported(its, attempt("d-1")) as report:
        report.verdict(BAD)
        its.outcome.outcome = "failed"
        with reported(its, attempt("d-2")) as way_back:
            way_back.verdict(GOOD)
        its.outcome.outcome = "failed_rolled_back"
    ends = {
        one.resource["infra.deploy"]: one.attributes["deploy.verdict"] for one in receiver.of("deploy.end")
    }
    assert ends == {"d-1": "failed_rolled_back", "d-2": "ok"}


@pytest.mark.parametrize(
    ("error", "word"), [(OSError("disk"), "failed"), (KeyboardInterrupt(), "interrupted")]
)
def test_a_deploy_that_is_cut_short_is_told_as_such_and_the_error_goes_on(
    receiver: Receiver, error: BaseException, word: str
) -> None:
    with pytest.raises(type(error)), reported(session(receiver.url), attempt()):
        raise error
    assert told(receiver) == [("deploy.start", ""), ("deploy.end", word)]


def test_a_receiver_that_is_down_is_said_once_and_changes_nothing() -> None:
    with refusing() as base:
        its = session(base)
        for _ in range(2):
            with reported(its, attempt()) as report:
                assert report.verdict(GOOD).ok
    host = base.removeprefix("http://")
    assert its.said == [f"telemetry: {host} did not take a record: Connection refused"]


def test_nothing_is_sent_said_or_printed_where_telemetry_is_off() -> None:
    its = session(None)
    with reported(its, attempt()) as report:
        report.verdict(BAD)
    assert its.said == []
    assert its.outbox._sender is None
    assert telemetry_filter(its, attempt()) == ()


def test_a_failure_prints_the_filter_to_paste() -> None:
    words = "deployment.environment=pr-47 service.name=finance-report-backend infra.deploy=d-1"
    assert telemetry_filter(session("http://otel:4318"), attempt()) == (f"telemetry: {words}",)
