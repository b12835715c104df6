"""Observed and wanted containers to a plan: what a platform has to be sent, and what it has to start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from infra.model.env_text import parse
from infra.model.observed import Absent, Found, Observed, Running, Sent, Unknown
from infra.model.operation import Operation, Plan
from infra.model.service import Service
from infra.model.unit import Bundle, Unit
from infra.plan.compose import blank
from infra.plan.database_step import with_database
from infra.plan.plan_facts import facts_of
from infra.plan.platform_env import owned

PLACE = "in place"


@dataclass(frozen=True, slots=True)
class WantedContainers:
    """What should run: services in the order of their needs, with their bundles.

    `asked` are the services of this run; the others are their needs, which are only started when they are
    down. `force` deploys the asked ones anew.
    """

    services: tuple[Service, ...]
    bundles: Mapping[str, Bundle]
    asked: frozenset[str]
    force: bool = False


def reconcile_containers(observed: Observed, wanted: WantedContainers) -> Plan:
    """Give the plan; steps that hang on something unread are in it and marked as uncertain."""
    changes = {service.name: list(_changes(service, observed, wanted)) for service in wanted.services}
    left_alone = tuple(name for name in changes if _runs_otherwise(name, observed, wanted))
    steps = [step for name in changes if name not in left_alone for step in changes[name]]
    steps = with_database([*map(_removal, observed.strangers), *steps], wanted.services)
    return Plan(tuple(steps), left_alone, facts_of(observed, wanted.bundles))


def _runs_otherwise(name: str, observed: Observed, wanted: WantedContainers) -> bool:
    """Tell whether a need runs with a change of its own pending: it is named and left alone."""
    if name in wanted.asked:
        return False
    bundle = wanted.bundles[name]
    seen = [observed.running(unit.name) for unit in bundle.units]
    is_running = bool(seen) and all(seen)
    return is_running and any(step.kind == "deploy" for step in _changes_of(bundle, observed, force=False))


def _removal(one: Running) -> Operation:
    return Operation("remove-container", one.service, one.unit, "nothing declares it, or it runs twice")


def _changes(service: Service, observed: Observed, wanted: WantedContainers) -> Iterator[Operation]:
    bundle = wanted.bundles[service.name]
    yield from _folder(service, observed)
    yield from _record(bundle, observed)
    yield from _credential(bundle, observed)
    yield from _changes_of(bundle, observed, force=wanted.force and service.name in wanted.asked)


def _changes_of(bundle: Bundle, observed: Observed, *, force: bool) -> Iterator[Operation]:
    """Give the deploy of a service, if one is needed; one deploy starts all of its containers."""
    reasons = [reason for unit in bundle.units if (reason := _reason(unit, bundle, observed))]
    unread = [unit.name for unit in bundle.units if isinstance(observed.units.get(unit.name), Unknown)]
    name = bundle.service
    if reasons or force:
        reason = "; ".join(reasons) or "asked for by --force"
        yield Operation("deploy", name, name, f"{reason} ({PLACE})")
    elif unread or not bundle.digest:
        words = f"unread: {', '.join((*unread, *bundle.unread))} ({PLACE})"
        yield Operation("deploy", name, name, words, is_certain=False)


def _reason(unit: Unit, bundle: Bundle, observed: Observed) -> str:
    seen = observed.units.get(unit.name, Absent())
    if isinstance(seen, Absent):
        return f"{unit.name} does not run"
    if isinstance(seen, Unknown) or not bundle.digest:
        return ""
    if seen.fact.bundle != bundle.digest:
        return f"{unit.name} runs bundle {seen.fact.bundle[:12] or 'none'}, wanted is {bundle.digest[:12]}"
    fault = observed.unhealthy.get(unit.name, "")
    is_young = observed.at - seen.fact.started < unit.health.start_period
    return f"{unit.name}: {fault}" if fault and not is_young else ""


def _folder(service: Service, observed: Observed) -> Iterator[Operation]:
    seen = observed.folders.get(service.name)
    if isinstance(seen, Absent):
        yield Operation("create-folder", service.name, service.name, "there is none yet")


def _record(bundle: Bundle, observed: Observed) -> Iterator[Operation]:
    """Give the writes of what the platform keeps; a target that keeps nothing has no such read."""
    name = bundle.service
    seen = observed.sent.get(name)
    if isinstance(seen, Unknown):
        yield Operation("update-compose", name, name, "unread: what was sent last", is_certain=False)
        yield Operation("write-env", name, name, "unread: what was sent last", is_certain=False)
    if isinstance(seen, Absent):
        yield Operation("create-compose", name, name, "the platform has no record of it")
    if isinstance(seen, Absent) or (isinstance(seen, Found) and _differs(seen.fact, bundle)):
        yield Operation("update-compose", name, name, "the text differs from what was sent last")
    if isinstance(seen, Absent) or (isinstance(seen, Found) and _lacks(seen.fact, bundle)):
        yield Operation("write-env", name, name, "keys of ours are missing or differ")


def _differs(sent: Sent, bundle: Bundle) -> bool:
    return blank(sent.text) != bundle.text


def _lacks(sent: Sent, bundle: Bundle) -> bool:
    """Tell whether a key of ours is missing, differs, or is one that is not wanted any more."""
    mine = {**owned(sent.env, "declared"), **owned(sent.env, "release")}
    return mine != parse(bundle.env)


def _credential(bundle: Bundle, observed: Observed) -> Iterator[Operation]:
    name = bundle.service
    seen = observed.credentials.get(name)
    if isinstance(seen, Absent):
        yield Operation("deliver-credential", name, name, "its agent has none that is proven")
    if isinstance(seen, Unknown):
        yield Operation("deliver-credential", name, name, "unread: whether it has one", is_certain=False)
