"""What units report by, the filter to paste, and events as OTLP requests."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from finance_report import PROJECT
from infra.model.environments import environment
from infra.model.service import Health
from infra.model.unit import Bundle, Unit
from infra.plan import compose, telemetry
from tests.doubles import otlp_messages
from tests.plan.scenes import scene

ENDPOINT = "https://otel.example.test"
TAGS = {
    "local": "development",
    "local_ci": "test",
    "github_ci": "ci",
    "pr_47": "pr-47",
    "pr_4": "pr-4",
    "canary": "canary",
    "staging": "staging",
    "production": "production",
}


def attributes_of(unit: Unit) -> str:
    return dict(unit.environment)["OTEL_RESOURCE_ATTRIBUTES"]


@pytest.mark.parametrize(("name", "tag"), TAGS.items())
def test_each_environment_reports_under_its_own_tag(name: str, tag: str) -> None:
    made = telemetry.variables(environment(name), "finance-report-backend", "v1.2.3", ENDPOINT)
    assert made == {
        "OTEL_EXPORTER_OTLP_ENDPOINT": ENDPOINT,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_SERVICE_NAME": "finance-report-backend",
        "OTEL_RESOURCE_ATTRIBUTES": f"deployment.environment={tag},service.version=v1.2.3,infra.deploy=",
    }
    assert telemetry.filter_text(environment(name), PROJECT, "d-1") == (
        f"deployment.environment={tag} service.name=finance-report-backend infra.deploy=d-1"
    )


def test_a_rehearsal_never_reports_under_the_tag_of_what_it_rehearses() -> None:
    tags = {telemetry.rehearsal_of(environment(name)).tag for name in TAGS}
    assert tags.isdisjoint(TAGS.values())


def test_nothing_is_set_where_telemetry_is_off() -> None:
    assert telemetry.variables(environment("staging"), "finance-report-backend", "v1.2.3", "") == {}
    assert telemetry.state(None) == "off: telemetry/endpoint is not set"
    assert telemetry.state(ENDPOINT) == f"on, to {ENDPOINT}"


def test_a_version_cannot_add_an_attribute_of_its_own() -> None:
    made = telemetry.variables(environment("staging"), "x", "v1,infra.deploy=forged b+1", ENDPOINT)
    words = "deployment.environment=staging,service.version=v1%2Cinfra.deploy%3Dforged%20b%2B1,infra.deploy="
    assert made["OTEL_RESOURCE_ATTRIBUTES"] == words


def test_the_deploy_is_filled_in_when_a_unit_is_marked_and_what_is_digested_keeps_it_blank() -> None:
    made = telemetry.variables(environment("local"), "finance-report-backend", "1" * 12, ENDPOINT)
    variables = (*made.items(), ("OTHER", "infra.deploy="))
    unit = Unit("backend", "app", "python", (), "/", variables, 1, Health("answers"))
    marked = unit.with_markers("b" * 64, "d-1")
    assert attributes_of(marked).endswith(f"service.version={'1' * 12},infra.deploy=d-1")
    assert attributes_of(marked.with_markers("b" * 64, "d-2")).endswith("infra.deploy=d-2")
    assert dict(marked.environment)["OTHER"] == "infra.deploy="
    assert "d-1" not in json.dumps(Bundle("app", (unit,), "", ()).as_json())
    assert attributes_of(unit).endswith("infra.deploy=")


@pytest.mark.parametrize("name", ["pr_47", "staging", "production"])
def test_containers_report_by_service_tag_and_version_and_get_the_deploy_when_they_are_sent(
    name: str,
) -> None:
    service = PROJECT.service("app")
    bundle = compose.bundle_of(service, replace(scene(name), telemetry=ENDPOINT))
    reporting = [unit for unit in bundle.units if unit.name in {"backend", "frontend"}]
    expected = f"deployment.environment={TAGS[name]},service.version=v1.2.3,infra.deploy="
    assert [attributes_of(unit) for unit in reporting] == [expected] * 2
    assert [dict(unit.environment)["OTEL_SERVICE_NAME"] for unit in reporting] == [
        "finance-report-backend",
        "finance-report-frontend",
    ]
    assert bundle.text.count(f'- "OTEL_RESOURCE_ATTRIBUTES={expected}"') == 2
    sent = compose.stamped(bundle.text, "b" * 64, "d-1")
    assert sent.count(f'- "OTEL_RESOURCE_ATTRIBUTES={expected}d-1"') == 2
    assert compose.blank(sent) == bundle.text


def test_an_event_is_a_request_that_otlp_knows() -> None:
    facts: dict[str, str | float] = {"deploy.verdict": "failed", "deploy.duration_s": 1.5}
    event = telemetry.Event("deploy.end", 1_700_000_000_123_456_789, 'said "no"\n', facts, is_bad=True)
    made = telemetry.request(event, [{"service.name": "a"}, {"service.name": "b"}])
    assert list(otlp_messages.faults(otlp_messages.parsed(json.dumps(made).encode()))) == []
    assert [one["resource"]["attributes"] for one in made["resourceLogs"]] == [
        [{"key": "service.name", "value": {"stringValue": name}}] for name in "ab"
    ]
    (record,) = made["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    assert record["timeUnixNano"] == "1700000000123456789"
    assert (record["severityNumber"], record["eventName"]) == (17, "deploy.end")
    assert {"key": "event.name", "value": {"stringValue": "deploy.end"}} in record["attributes"]
    assert {"key": "deploy.duration_s", "value": {"doubleValue": 1.5}} in record["attributes"]


@pytest.mark.parametrize("endpoint", ["http://otel:4318", "http://otel:4318/", "http://otel:4318//"])
def test_logs_go_below_the_base_address(endpoint: str) -> None:
    assert telemetry.logs_url(endpoint) == "http://otel:4318/v1/logs"
    assert telemetry.logs_url("https://host/otlp") == "https://host/otlp/v1/logs"


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (200, b"{}", ""),
        (200, b"", ""),
        (200, b"fine", ""),
        (200, b'{"partialSuccess": {}}', ""),
        (200, b'{"partialSuccess": null}', ""),
        (200, b'{"partialSuccess": {"errorMessage": "a hint"}}', ""),
        (200, b'{"partialSuccess": {"rejectedLogRecords": "1"}}', "it refused it: no reason given"),
        (200, b'{"partialSuccess": {"rejectedLogRecords": 2, "errorMessage": "old"}}', "it refused it: old"),
        (202, b"", "it answered 202"),
        (301, b"", "it answered 301"),
        (500, b'{"message": "x"}', "it answered 500"),
    ],
)
def test_only_a_receiver_that_took_all_of_it_took_it(status: int, body: bytes, why: str) -> None:
    assert telemetry.refusal(status, body) == why
