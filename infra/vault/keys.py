"""The keys of an environment as a person asks for them: names, kinds, versions, ages, readers; no values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from infra.model.errors import KnownBad
from infra.model.secret import Secret, SecretSpec
from infra.model.service import Service
from infra.plan.audit_rows import Reader
from infra.plan.consumers import readers
from infra.session import Session
from infra.store.keyring import Keyring
from infra.store.paths import secrets_path
from infra.vault.ages import Change, changes
from infra.vault.desk import Desk
from infra.vault.readers import readers_of

COLUMNS = ("service", "key", "kind", "state", "version", "age", "read by", "on an old value")


def show(desk: Desk) -> None:
    """Print a line for each key; KnownBad names required ones without a value."""
    ring = desk.keys.forecast()
    rows = [row for service in desk.services if service.secrets for row in _rows(desk, service, ring)]
    desk.outcome.facts["keys"] = rows
    desk.console.table([COLUMNS, *([_cell(row[column]) for column in COLUMNS] for row in rows)])
    missing = [row for row in rows if row["state"] == "missing"]
    if missing:
        raise _lacking(desk, missing)


def _lacking(desk: Desk, missing: list[dict[str, Any]]) -> KnownBad:
    named = ", ".join(f"{row['service']} {row['key']}" for row in missing)
    first = next((row for row in missing if row["kind"] == "operator"), None)
    next_step = desk.say("setup")
    if first:
        next_step = (
            f"./inv vault.put {desk.commands.choice} --service {first['service']} --key {first['key']}"
        )
    return KnownBad(f"required keys have no value: {named}", next_step=next_step)


def _rows(desk: Desk, service: Service, ring: Keyring) -> Iterator[dict[str, Any]]:
    path = secrets_path(desk.project.name, desk.keys.environment, service.name)
    known = changes(desk.store, path)
    current = max((one.version for one in known.values()), default=0)
    version = ring.versions.get(service.name, current)
    running = readers_of(desk, service, version) if isinstance(desk, Session) else None
    for spec in service.secrets:
        yield _row(desk, spec, ring, known.get(spec.key), running)
    for key in ring.undeclared.get(service.name, ()):
        yield _undeclared(desk, service.name, key, known.get(key))


def _row(
    desk: Desk, spec: SecretSpec, ring: Keyring, changed: Change | None, running: list[Reader] | None
) -> dict[str, Any]:
    return {
        "service": spec.service,
        "key": spec.key,
        "kind": spec.kind,
        "state": _state(desk, spec, ring, changed),
        "version": changed.version if changed else None,
        "age": changed.age(desk.store_time()) if changed else None,
        "read by": list(readers(spec.place, desk.keys.specs, desk.keys.addresses)),
        "on an old value": "unknown" if running is None else _late(running, changed),
    }


def _late(running: list[Reader], changed: Change | None) -> list[str]:
    return [
        one.unit for one in running if changed and one.runs_on_old(changed.version, changed.at.timestamp())
    ]


def _state(desk: Desk, spec: SecretSpec, ring: Keyring, changed: Change | None) -> str:
    """Give what the store holds.

    `missing` keys are required, `unset` ones may be; `outdated` ones are to be
    rewritten by setup: a key or an address that they follow from changed since.
    """
    found = {
        "missing": (ring.missing, ring.generated),
        "drifted": (ring.drifted,),
        "outdated": (ring.rewritten,) if changed else (),
    }
    for word, keys in found.items():
        if any(spec.key in one.get(spec.service, ()) for one in keys):
            return word
    is_empty = ring.values.get(spec.service, {}).get(spec.key) == Secret("")
    if changed and not is_empty:
        return "present"
    return "missing" if spec.required_in(desk.environment.name) else "unset"


def _undeclared(desk: Desk, service: str, key: str, changed: Change | None) -> dict[str, Any]:
    return {
        "service": service,
        "key": key,
        "kind": "undeclared",
        "state": "present",
        "version": changed.version if changed else None,
        "age": changed.age(desk.store_time()) if changed else None,
        "read by": [],
        "on an old value": [],
    }


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "–"
    return "–" if value is None else str(value)
