"""A smoke profile's text, checked whole: all faults at once, each with its file and row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import yaml
from pydantic import ValidationError

from infra.model import yaml_text
from infra.model.errors import BadInput
from infra.model.smoke import Profile


def parse_profile(text: str, file: str) -> Profile:
    """Give the profile that a YAML text declares; BadInput names file, row and key of every fault."""
    try:
        declared = yaml_text.parse(text)
    except yaml.YAMLError as error:
        raise _refused(file, [yaml_text.words(error)]) from error
    if not isinstance(declared, dict):
        raise _refused(file, ["a mapping with `rows` is expected"])
    faults = [*_emptiness(declared), *_repeated(declared)]
    try:
        profile = Profile.model_validate(declared)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        raise _refused(file, faults + [_fault(one, declared) for one in details]) from error
    if faults:
        raise _refused(file, faults)
    return profile


def _refused(file: str, faults: list[str]) -> BadInput:
    first, *others = (f"{file}: {fault}" for fault in faults)
    return BadInput(first, next_step=f"correct {file}", evidence=tuple(others))


def _rows(declared: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    rows = declared.get("rows")
    return [row if isinstance(row, dict) else {} for row in rows] if isinstance(rows, list) else []


def _emptiness(declared: Mapping[str, Any]) -> list[str]:
    return ["rows: a profile without rows checks nothing"] if declared.get("rows") == [] else []


def _repeated(declared: Mapping[str, Any]) -> list[str]:
    times = Counter(str(row["id"]) for row in _rows(declared) if "id" in row)
    return [f"row {name}: the id is there {count} times" for name, count in times.items() if count > 1]


def _fault(detail: Any, declared: Mapping[str, Any]) -> str:
    place = list(detail["loc"])
    words = "unknown key" if detail["type"] == "extra_forbidden" else detail["msg"]
    if place[:1] == ["rows"] and len(place) > 1:
        row = _rows(declared)[int(place[1])]
        place[:2] = [f"row {row.get('id', place[1] + 1)}"]
    head, *path = map(str, place)
    return ": ".join(filter(None, (head, "/".join(path), words.removeprefix("Value error, "))))
