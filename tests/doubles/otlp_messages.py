"""What OTLP's messages for logs look like in JSON, and whether a request is one of them to the letter.

Fields and types are those of opentelemetry-proto 1.x. A real receiver has to skip fields that it does not
know; here they are faults, since whoever sends one has misspelt it.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any


def _is_base64(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(base64.b64decode(value, validate=True) or not value)
    except binascii.Error:
        return False


def _is_decimal(value: Any, low: int, high: int) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"-?\d+", value)) and low <= int(value) < high


def _is_number(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value < high


SCALARS: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "bool": lambda value: isinstance(value, bool),
    "double": lambda value: isinstance(value, float) or _is_number(value, -(2**53), 2**53),
    "int64": lambda value: _is_decimal(value, -(2**63), 2**63),
    "moment": lambda value: _is_decimal(value, 1, 2**64),
    "uint32": lambda value: _is_number(value, 0, 2**32),
    "severity": lambda value: _is_number(value, 1, 25),
    "bytes": _is_base64,
    "trace id": lambda value: isinstance(value, str) and bool(re.fullmatch(r"[0-9a-fA-F]{32}", value)),
    "span id": lambda value: isinstance(value, str) and bool(re.fullmatch(r"[0-9a-fA-F]{16}", value)),
}
MESSAGES: Mapping[str, Mapping[str, str]] = {
    "ExportLogsServiceRequest": {"resourceLogs": "*ResourceLogs"},
    "ResourceLogs": {"resource": "Resource", "scopeLogs": "*ScopeLogs", "schemaUrl": "string"},
    "Resource": {"attributes": "*KeyValue", "droppedAttributesCount": "uint32", "entityRefs": "*EntityRef"},
    "EntityRef": {
        "schemaUrl": "string",
        "type": "string",
        "idKeys": "*string",
        "descriptionKeys": "*string",
    },
    "ScopeLogs": {"scope": "InstrumentationScope", "logRecords": "*LogRecord", "schemaUrl": "string"},
    "InstrumentationScope": {
        "name": "string",
        "version": "string",
        "attributes": "*KeyValue",
        "droppedAttributesCount": "uint32",
    },
    "LogRecord": {
        "timeUnixNano": "moment",
        "observedTimeUnixNano": "moment",
        "severityNumber": "severity",
        "severityText": "string",
        "body": "AnyValue",
        "attributes": "*KeyValue",
        "droppedAttributesCount": "uint32",
        "flags": "uint32",
        "traceId": "trace id",
        "spanId": "span id",
        "eventName": "string",
    },
    "KeyValue": {"key": "string", "value": "AnyValue"},
    "AnyValue": {
        "stringValue": "string",
        "boolValue": "bool",
        "intValue": "int64",
        "doubleValue": "double",
        "arrayValue": "ArrayValue",
        "kvlistValue": "KeyValueList",
        "bytesValue": "bytes",
    },
    "ArrayValue": {"values": "*AnyValue"},
    "KeyValueList": {"values": "*KeyValue"},
}


def parsed(body: bytes) -> Any:
    """Give the value of a JSON text; ValueError for what is none, or names a key twice in one object."""
    return json.loads(body.decode("utf-8"), object_pairs_hook=_each_once, parse_constant=_refused)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError(f"a key stands twice: {[key for key, _ in pairs]}")
    return dict(pairs)


def _refused(word: str) -> float:
    raise ValueError(f"{word} is no JSON")


def faults(value: Any, kind: str = "ExportLogsServiceRequest", path: str = "request") -> Iterator[str]:
    """Give a line for each thing in which a value is not a message of this kind."""
    if kind.startswith("*"):
        yield from _faults_of_list(value, kind[1:], path)
    elif kind in SCALARS:
        if not SCALARS[kind](value):
            yield f"{path}: {value!r} is no {kind}"
    elif not isinstance(value, dict):
        yield f"{path}: {value!r} is no {kind}"
    else:
        fields = MESSAGES[kind]
        yield from (f"{path}: {kind} has no {name}" for name in value if name not in fields)
        if kind == "AnyValue" and len(value) > 1:
            yield f"{path}: a value is one of {sorted(value)}, not all"
        for name in fields.keys() & value.keys():
            yield from faults(value[name], fields[name], f"{path}/{name}")


def _faults_of_list(value: Any, kind: str, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path}: {value!r} is no list"
        return
    for place, one in enumerate(value):
        yield from faults(one, kind, f"{path}/{place}")
    keys = [str(one.get("key")) for one in value if kind == "KeyValue" and isinstance(one, dict)]
    yield from (f"{path}: the key {key} stands twice" for key in sorted(set(keys)) if keys.count(key) > 1)
