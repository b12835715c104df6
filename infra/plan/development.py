"""Development servers decided: the unit that takes another one's place, and the steps before it starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from infra.model.observed import Observed
from infra.model.operation import IN_THE_STORE, Operation, Plan
from infra.model.service import Part, Service
from infra.model.unit import Unit
from infra.plan.units import Scene, bundle_of

MOCKED: Mapping[str, str] = {"PROVIDERS": "mock"}
SECRETS = IN_THE_STORE | {"write-secrets"}


def from_checkout(
    service: Service, part: Part, scene: Scene, checkout: str, command: tuple[str, ...], python: str
) -> Unit:
    """Give a part's unit as it runs from the application's checkout, with this command in place of its own.

    Port, environment, entry point and secrets are the unit's own. `python` is the checkout's interpreter.
    """
    own = replace(scene, commands={part.name: command})
    unit = next(one for one in bundle_of(service, own).units if one.name == part.name)
    folder = f"{checkout}/{part.folder}"
    return _with(unit, folder, {"APP_DIR": folder, "PYTHONPATH": folder, "INFRA_PYTHON": python})


def alone(
    service: Service, part: Part, scene: Scene, checkout: str, command: tuple[str, ...], python: str
) -> Unit:
    """Give a part's unit as it runs from the checkout by itself: no secrets, and providers of its own."""
    bare = replace(part, entrypoint="")
    unit = from_checkout(replace(service, parts=(bare,), secrets=()), bare, scene, checkout, command, python)
    return _with(unit, unit.directory, MOCKED)


def _with(unit: Unit, folder: str, variables: Mapping[str, str]) -> Unit:
    merged = {**dict(unit.environment), **variables}
    return replace(unit, directory=folder, environment=tuple(sorted(merged.items())))


def command_of(part: Part, written: tuple[str, ...], python: str) -> tuple[str, ...]:
    """Give the words that start a development server: those of the settings, else the declared ones."""
    return written or (python, *part.development)


def take_over(plan: Plan, observed: Observed, service: str, unit: str = "") -> Plan:
    """Give the steps before a development server of `unit` starts, none of them for no reason.

    `plan` is the one that would bring up the whole service: of it only the secrets are wanted.
    """
    steps = [step for step in plan.operations if step.service == service and step.kind in SECRETS]
    if unit and observed.running(unit):
        reason = "a development server takes its place"
        steps.append(Operation("stop-unit", service, unit, reason))
    return replace(plan, operations=tuple(steps), left_alone=())
