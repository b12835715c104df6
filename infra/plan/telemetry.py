"""Telemetry: the variables that units report by, the filter to paste, and events as OTLP writes them.

Requests are the JSON encoding of OTLP over HTTP: keys in lowerCamelCase, 64-bit numbers as decimal strings,
enumerations as numbers (https://opentelemetry.io/docs/specs/otlp).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from infra.model import json_text
from infra.model.environment import Environment
from infra.model.service import Project
from infra.model.unit import DEPLOY_ATTRIBUTE, RESOURCE_ATTRIBUTES

INFO, ERROR = 9, 17


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, as a log record tells it; `at` is nanoseconds since the epoch."""

    name: str
    at: int
    message: str
    attributes: Mapping[str, str | float] = field(default_factory=dict)
    is_bad: bool = False


def variables(environment: Environment, service_name: str, version: str, endpoint: str) -> dict[str, str]:
    """Give what a unit reports by, nothing when telemetry is off.

    The deploy's id comes last and is blank until the unit is sent, so that no digest depends on it.
    """
    if not endpoint:
        return {}
    known = {"deployment.environment": environment.tag, "service.version": version}
    pairs = [f"{key}={quote(value, safe='')}" for key, value in known.items()]
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_SERVICE_NAME": service_name,
        RESOURCE_ATTRIBUTES: ",".join([*pairs, f"{DEPLOY_ATTRIBUTE}="]),
    }


def service_name(project: str, part: str) -> str:
    """Give the name under which a part reports: `finance-report-backend`."""
    return f"{project.replace('_', '-')}-{part}"


def rehearsal_of(environment: Environment) -> Environment:
    """Give the environment as a rehearsal of it reports: under a tag that is not the deployed one's."""
    return replace(environment, tag=f"{environment.tag}-rehearsal")


def state(endpoint: str | None) -> str:
    """Give in a few words whether telemetry is on, and where to."""
    return f"on, to {endpoint}" if endpoint else "off: telemetry/endpoint is not set"


def filter_text(environment: Environment, project: Project, deploy: str) -> str:
    """Give the filter that finds what the parts with checkpoints reported of a deploy."""
    parts = [part for service in project.services for part in service.parts if part.entrypoint == "backend"]
    named = [f"service.name={service_name(project.name, part.name)}" for part in parts[:1]]
    return " ".join([f"deployment.environment={environment.tag}", *named, f"{DEPLOY_ATTRIBUTE}={deploy}"])


def logs_url(endpoint: str) -> str:
    """Give the address that log records are posted to."""
    return f"{endpoint.rstrip('/')}/v1/logs"


def request(event: Event, resources: Iterable[Mapping[str, str]]) -> dict[str, Any]:
    """Give the request that tells one event of each of these resources."""
    scope = {"scope": {"name": "infra"}, "logRecords": [_record(event)]}
    return {
        "resourceLogs": [
            {"resource": {"attributes": _attributes(one)}, "scopeLogs": [scope]} for one in resources
        ]
    }


def refusal(status: int, body: bytes) -> str:
    """Give why a receiver did not take a request, by its answer; empty when it took all of it."""
    if status != 200:
        return f"it answered {status}"
    try:
        partly = json_text.parse(body)["partialSuccess"]
        is_whole = int(partly.get("rejectedLogRecords", 0)) == 0
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    return "" if is_whole else f"it refused it: {partly.get('errorMessage') or 'no reason given'}"


def _record(event: Event) -> dict[str, Any]:
    """Give an event as a log record; its name stands twice, since older receivers know the attribute only."""
    return {
        "timeUnixNano": str(event.at),
        "severityNumber": ERROR if event.is_bad else INFO,
        "severityText": "ERROR" if event.is_bad else "INFO",
        "eventName": event.name,
        "body": {"stringValue": event.message},
        "attributes": _attributes({"event.name": event.name, **event.attributes}),
    }


def _attributes(values: Mapping[str, str | float]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in values.items()]


def _value(value: str | float) -> dict[str, str | float]:
    return {"stringValue": value} if isinstance(value, str) else {"doubleValue": float(value)}
