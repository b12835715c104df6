"""The receiver of the tests refuses what OTLP does not know, so that what passes it is OTLP."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.doubles import otlp_messages
from tests.doubles.otlp_receiver import receiving

RECORD = {"timeUnixNano": "1", "severityNumber": 9, "body": {"stringValue": "x"}, "attributes": []}


def request(**record: Any) -> dict[str, Any]:
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "x"}}]}
    logs = {"scope": {"name": "x"}, "logRecords": [{**RECORD, **record}]}
    return {"resourceLogs": [{"resource": resource, "scopeLogs": [logs]}]}


def attribute(**value: Any) -> dict[str, Any]:
    return {"attributes": [{"key": "k", "value": value}]}


@pytest.mark.parametrize(
    "record",
    [
        {"time_unix_nano": "1"},
        {"timeUnixNano": 1},
        {"timeUnixNano": "0"},
        {"timeUnixNano": "now"},
        {"severityNumber": "SEVERITY_NUMBER_INFO"},
        {"severityNumber": "9"},
        {"severityNumber": 0},
        {"severityNumber": 25},
        {"body": "x"},
        {"body": {"stringValue": 1}},
        {"body": {"stringValue": "x", "intValue": "1"}},
        {"attributes": {"k": "v"}},
        {"attributes": [{"key": "k", "value": "v"}]},
        {"attributes": attribute(stringValue="x")["attributes"] * 2},
        attribute(intValue=1),
        attribute(intValue="1.5"),
        attribute(doubleValue="1.5"),
        attribute(boolValue="true"),
        attribute(bytesValue="%"),
        {"traceId": "beef"},
        {"eventName": None},
        {"droppedAttributesCount": -1},
    ],
)
def test_a_record_that_is_not_as_the_protocol_writes_it_is_refused(record: dict[str, Any]) -> None:
    assert list(otlp_messages.faults(request(**record))) != []


@pytest.mark.parametrize(
    "record",
    [
        {},
        attribute(intValue="-1"),
        attribute(doubleValue=1.5),
        attribute(boolValue=True),
        attribute(kvlistValue={"values": attribute(stringValue="x")["attributes"]}),
        {"traceId": "5B8EFFF798038103D269B633813FC60C", "eventName": "deploy.start"},
    ],
)
def test_a_record_as_the_protocol_writes_it_is_taken(record: dict[str, Any]) -> None:
    assert list(otlp_messages.faults(request(**record))) == []


@pytest.mark.parametrize(
    ("path", "kind", "body", "status"),
    [
        ("/v1/logs", "application/json", json.dumps(request()), 200),
        ("/v1/logs", "application/json", "{}", 200),
        ("/", "application/json", json.dumps(request()), 400),
        ("/v1/logs", "application/x-protobuf", json.dumps(request()), 400),
        ("/v1/logs", "application/json", '{"resourceLogs": [', 400),
        ("/v1/logs", "application/json", '{"resourceLogs": [], "resourceLogs": []}', 400),
        ("/v1/logs", "application/json", '{"resourceSpans": []}', 400),
    ],
)
def test_the_receiver_answers_as_the_protocol_says(path: str, kind: str, body: str, status: int) -> None:
    with receiving() as receiver:
        connection = HTTPConnection(urlsplit(receiver.url).netloc, timeout=5)
        connection.request("POST", path, body, {"Content-Type": kind})
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("Content-Type")) == (status, "application/json")
        assert json.loads(answer.read()) == {} or status == 400
        connection.close()
        assert bool(receiver.faults) == (status == 400)
        assert len(receiver.records) == (1 if status == 200 and len(body) > 2 else 0)
