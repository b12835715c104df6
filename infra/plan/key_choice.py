"""Which keys a person may put, and which the product renews; every refusal names the right command.

What was typed is not repeated: it may be a value in the wrong place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from infra.model.errors import BadInput
from infra.model.secret import SecretSpec
from infra.plan.consumers import is_derived_here


def to_put(specs: Iterable[SecretSpec], service: str, key: str, addresses: Any, flags: str) -> SecretSpec:
    """Give the key that an operator may put; BadInput for any other one. `flags` choose the environment."""
    spec = _declared(tuple(specs), service, key, f"./inv vault.keys {flags}")
    if spec.kind == "generated":
        raise BadInput(
            f"{service} {key} is generated: nobody chooses its value",
            next_step=f"./inv vault.rotate {flags} --service {service} --key {key}",
        )
    if is_derived_here(spec, addresses):
        raise _follows(spec, flags)
    return spec


def to_rotate(
    specs: Iterable[SecretSpec], service: str, key: str, addresses: Any, flags: str
) -> tuple[SecretSpec, ...]:
    """Give the keys that are renewed: the named one, or all generated ones of the service."""
    declared = tuple(specs)
    if not key:
        _require_service(declared, service, f"./inv vault.keys {flags}")
        found = tuple(spec for spec in declared if spec.service == service and spec.kind == "generated")
        if not found:
            raise BadInput(
                f"{service} has no generated key: what it reads follows from others, or is put",
                next_step=f"./inv vault.keys {flags}",
            )
        return found
    spec = _declared(declared, service, key, f"./inv vault.keys {flags}")
    if spec.kind == "generated":
        return (spec,)
    if is_derived_here(spec, addresses):
        raise _follows(spec, flags)
    raise BadInput(
        f"{service} {key} is an operator's: a new value comes from whoever issued the old one",
        next_step=f"./inv vault.put {flags} --service {service} --key {key}",
    )


def _follows(spec: SecretSpec, flags: str) -> BadInput:
    return BadInput(
        f"{spec.service} {spec.key} is derived: it follows from other keys by itself",
        next_step=f"./inv vault.check {flags}",
    )


def _declared(specs: Sequence[SecretSpec], service: str, key: str, way_on: str) -> SecretSpec:
    _require_service(specs, service, way_on)
    for spec in specs:
        if spec.place == (service, key):
            return spec
    known = ", ".join(spec.key for spec in specs if spec.service == service)
    raise BadInput(f"--key: {service} has no such key; it has {known}", next_step=way_on)


def _require_service(specs: Sequence[SecretSpec], service: str, way_on: str) -> None:
    names = tuple(dict.fromkeys(spec.service for spec in specs))
    if service not in names:
        known = ", ".join(names)
        raise BadInput(f"--service: a service with keys is expected: {known}", next_step=way_on)
