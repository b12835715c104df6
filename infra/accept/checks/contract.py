"""The machine output: one object of the shipped schema, and no secret anywhere in it."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.parse import quote

from infra.accept.ground import Ground, on_stack, require
from infra.accept.throwaway import Throwaway
from infra.model import dotenv
from infra.model.acceptance import Evidence

KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "object": (dict,),
    "array": (list,),
}
LONG_ENOUGH = 8


def contract(ground: Ground, schema: str, tasks: list[str]) -> Evidence:
    """Prove that these tasks print one object of the schema, and that none shows a secret of the stack."""
    stack, rules = ground.stack, json.loads((ground.root / schema).read_text(encoding="utf-8"))
    forms = _secret_forms(stack)
    require(forms, "the stack has no secrets to look for")
    for task in tasks:
        done = stack.inv(stack.of_project(f"{task} --json"))
        require(done.out.count("\n") == 1 and done.json, f"{done} printed {done.out[:80]!r}")
        faults = _faults(done.json, rules, "")
        require(not faults, f"{done}: {'; '.join(faults)}")
        shown = sorted({key for form, key in forms.items() if form in done.out + done.err})
        require(not shown, f"{done} shows {', '.join(shown)}")
    return on_stack(
        f"{len(tasks)} tasks ({', '.join(tasks)}) keep {schema}, none shows a form of {_keys(forms)}"
    )


def _keys(forms: dict[str, str]) -> str:
    return ", ".join(sorted(set(forms.values())))


def _secret_forms(stack: Throwaway) -> dict[str, str]:
    """Give each secret that the stack reads, in the forms in which it could travel, with its key."""
    files = sorted({path for many in stack.units.values() for one in many if (path := _file_of(one))})
    values = [pair for file in files for pair in dotenv.parse(Path(file).read_text(encoding="utf-8")).items()]
    secrets = {(key, value) for key, value in values if len(value) >= LONG_ENOUGH}
    return {
        form: key
        for key, value in secrets
        for form in (value, quote(value, safe=""), b64encode(value.encode()).decode().rstrip("=")[:-1])
    }


def _file_of(process: Any) -> str:
    return str(process.environ().get("INFRA_SECRETS_FILE", ""))


def _faults(value: Any, rules: Any, place: str) -> list[str]:
    """Give where a value breaks a JSON Schema, of which the shipped one uses these words."""
    if "const" in rules and value != rules["const"]:
        return [f"{place} is {value!r}"]
    if "enum" in rules and value not in rules["enum"]:
        return [f"{place} is {value!r}"]
    if "type" in rules and not isinstance(value, KINDS[rules["type"]]):
        return [f"{place} is no {rules['type']}"]
    if isinstance(value, list):
        return [fault for one in value for fault in _faults(one, rules.get("items", {}), f"{place}/0")]
    if isinstance(value, dict):
        return _object_faults(value, rules, place)
    return []


def _object_faults(value: dict[str, Any], rules: Any, place: str) -> list[str]:
    known, other = rules.get("properties", {}), rules.get("additionalProperties", True)
    faults = [f"{place}/{key} is missing" for key in rules.get("required", ()) if key not in value]
    for key, one in value.items():
        if key in known or isinstance(other, dict):
            faults += _faults(one, known.get(key, other), f"{place}/{key}")
        elif other is False:
            faults.append(f"{place}/{key} is not known")
    return faults
