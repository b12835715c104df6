"""Observed and wanted to a plan: the ordered operations that are missing, each with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from infra.model.observed import Found, Observed, Unmarked
from infra.model.operation import Operation, Plan
from infra.model.service import Service
from infra.model.unit import DEVELOPMENT, Bundle, Unit
from infra.plan.database_step import with_database
from infra.plan.plan_facts import facts_of


@dataclass(frozen=True, slots=True)
class Wanted:
    """What should run: services in the order of their needs, with their bundles.

    `asked` are the services of this run; the others are their needs and only started when they are down.
    `unwritten` names keys that the store lacks, `secret_files` the digests that rendered files should have.
    `put_back` are services whose keys the store lost, while they still lie rendered, `rewritten` derived keys
    that change in the store, each with its reason.
    `left_out` are soft services that cannot start now, each with a line that says why.
    """

    services: tuple[Service, ...]
    bundles: Mapping[str, Bundle]
    asked: frozenset[str]
    keeper: str
    unwritten: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    put_back: frozenset[str] = frozenset()
    rewritten: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    secret_files: Mapping[str, str] = field(default_factory=dict)
    held_back: frozenset[str] = frozenset()
    force: bool = False
    left_out: Mapping[str, str] = field(default_factory=dict)


def reconcile(observed: Observed, wanted: Wanted) -> Plan:
    """Give the plan; it is empty when everything that is wanted runs as wanted. What is soft comes last."""
    services = sorted(wanted.services, key=lambda one: one.is_soft)
    changes = {service.name: list(_changes(service, observed, wanted)) for service in services}
    left_alone = tuple(name for name in changes if _has_pending_change(name, changes[name], wanted))
    steps = [step for name in changes if name not in left_alone for step in changes[name]]
    steps = [*_doubles(observed), *steps]
    steps = with_database(steps, wanted.services)
    if steps or observed.keeper != Found(wanted.keeper):
        steps = [*_keeper(observed, wanted), *steps]
    outside = tuple(name for name in wanted.rewritten if name not in changes)
    return Plan(
        (*_secrets(wanted, left_alone), *steps),
        (*left_alone, *outside),
        facts_of(observed, wanted.bundles),
    )


def _has_pending_change(name: str, steps: list[Operation], wanted: Wanted) -> bool:
    """Tell whether a need runs with a change of its own pending: it is named and left alone."""
    return name not in wanted.asked and any(step.kind == "restart-unit" for step in steps)


def _secrets(wanted: Wanted, left_alone: tuple[str, ...]) -> Iterator[Operation]:
    for service, keys in wanted.unwritten.items():
        if keys and service not in left_alone:
            how = "; what lies rendered is put back" if service in wanted.put_back else ""
            yield Operation("generate-secrets", service, service, f"the store lacks {', '.join(keys)}{how}")
    for service, reasons in wanted.rewritten.items():
        for key, reason in reasons.items() if service not in left_alone else ():
            yield Operation("rewrite-derived", service, f"{service} {key}", reason)


def _keeper(observed: Observed, wanted: Wanted) -> Iterator[Operation]:
    if not isinstance(observed.keeper, Found):
        yield Operation("start-supervisor", "", "supervisor", "it does not run")
    elif observed.keeper.fact != wanted.keeper:
        yield Operation("start-supervisor", "", "supervisor", _why_replaced(observed.keeper.fact, wanted))


def _why_replaced(running: str, wanted: Wanted) -> str:
    """Give why the supervisor that runs is not the wanted one: its code, or the key of its proofs."""
    is_same_code = running.partition("-")[0] == wanted.keeper.partition("-")[0]
    return "it proves by another key" if is_same_code else "it runs an older version of this code"


def _doubles(observed: Observed) -> Iterator[Operation]:
    for name in dict.fromkeys(stranger.unit for stranger in observed.strangers):
        service = next(stranger.service for stranger in observed.strangers if stranger.unit == name)
        yield Operation("stop-unit", service, name, "it runs twice, or nothing declares it")


def _changes(service: Service, observed: Observed, wanted: Wanted) -> Iterator[Operation]:
    bundle = wanted.bundles[service.name]
    for user in dict.fromkeys(unit.user for unit in bundle.units if unit.user in observed.unmade):
        yield Operation("create-account", service.name, user, "the machine has none of this name yet")
    yield from _secret_file(service.name, observed, wanted)
    for part in service.parts:
        if part.program in observed.uninstalled:
            reason = "its user cannot enter the folder of the original"
            yield Operation("install-program", service.name, part.program, reason)
    has_no_data = _has_no_data(service, observed)
    if has_no_data:
        yield from _stopped(bundle, observed, "the data that it was started with are gone")
    yield from _data(service, observed)
    has_other_owner = not has_no_data and _has_other_owner(service, bundle, observed)
    if has_other_owner:
        yield from _stopped(bundle, observed, "its data change owner")
        yield Operation("change-owner", service.name, service.name, _owner_words(service, bundle, observed))
    if bundle.release and bundle.release not in observed.releases:
        yield Operation("store-release", service.name, bundle.release[:12], "no snapshot of it is kept")
    doubled = {stranger.unit for stranger in observed.strangers}
    for unit in bundle.units:
        is_ended = has_no_data or has_other_owner or unit.name in doubled
        yield from _unit(unit, bundle, observed, wanted, is_ended=is_ended)


def _secret_file(name: str, observed: Observed, wanted: Wanted) -> Iterator[Operation]:
    if name not in wanted.secret_files or name in wanted.held_back:
        return
    seen = observed.secret_files.get(name)
    if not isinstance(seen, Found):
        yield Operation("write-secrets", name, name, "the rendered file is not there")
    elif seen.fact != wanted.secret_files[name]:
        yield Operation("write-secrets", name, name, "the rendered file differs from the store")


def _has_no_data(service: Service, observed: Observed) -> bool:
    seen = observed.folders.get(service.name)
    return bool(service.data_version) and not (isinstance(seen, Found) and seen.fact.version)


def _stopped(bundle: Bundle, observed: Observed, reason: str) -> Iterator[Operation]:
    """Stop what must not go on with the data that it has."""
    for unit in reversed(bundle.units):
        if observed.running(unit.name):
            yield Operation("stop-unit", unit.service, unit.name, reason)


def _has_other_owner(service: Service, bundle: Bundle, observed: Observed) -> bool:
    return observed.owners.get(service.name, bundle.user) != bundle.user


def _owner_words(service: Service, bundle: Bundle, observed: Observed) -> str:
    has, wanted = (name or "whoever starts it" for name in (observed.owners[service.name], bundle.user))
    return f"its data belong to {has}, and {wanted} runs it"


def _data(service: Service, observed: Observed) -> Iterator[Operation]:
    if not _has_no_data(service, observed):
        return
    seen = observed.folders.get(service.name)
    reason = "it was left half made" if isinstance(seen, Found) else "there is none yet"
    if isinstance(seen, Unmarked):
        reason = "nothing says whose it is that lies there: that is moved aside"
    yield Operation("create-data", service.name, service.name, reason)


def _unit(
    unit: Unit, bundle: Bundle, observed: Observed, wanted: Wanted, *, is_ended: bool
) -> Iterator[Operation]:
    running = observed.running(unit.name)
    if running is None or is_ended:
        yield Operation("start-unit", unit.service, unit.name, "it does not run")
        return
    reason = _restart_reason(unit, bundle, observed, wanted)
    if reason:
        yield Operation("restart-unit", unit.service, unit.name, reason)


def _restart_reason(unit: Unit, bundle: Bundle, observed: Observed, wanted: Wanted) -> str:
    running = observed.running(unit.name)
    if running is None:
        return ""
    fault = observed.unhealthy.get(unit.name, "")
    is_young = observed.at - running.started < unit.health.start_period
    hangs = fault and not is_young and "answered" not in fault
    wants = f"it runs bundle {running.bundle[:12] or 'none'}, wanted is {bundle.digest[:12]}"
    is_lost = bool(bundle.release) and bundle.release not in observed.releases
    reasons = (
        (running.bundle == DEVELOPMENT, "a development server runs in its place, and is ended"),
        (running.bundle != bundle.digest, wants),
        (unit.name in observed.unkept, "no supervisor knows it"),
        (is_lost, "the snapshot that it runs from is gone"),
        (wanted.force and unit.service in wanted.asked, "asked for by --force"),
        (hangs, f"it hangs: {fault}"),
    )
    return next((reason for holds, reason in reasons if holds), "")
