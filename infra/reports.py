"""What a person asks about what runs: status, logs, checkpoints, history. Nothing here writes."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.model.checkpoint import checkpoints_of, furthest
from infra.model.errors import BadInput, KnownBad
from infra.model.observed import UNPROVEN, Found, Observed, Running
from infra.model.record import SUMMARY, Record
from infra.model.service import Service
from infra.model.unit import DEVELOPMENT, Unit
from infra.plan.agent_process import is_agent
from infra.plan.telemetry import state
from infra.plan.units import bundle_of
from infra.session import Session
from infra.stages import left
from infra.store import owner
from infra.targets.process.account import EARLIER
from infra.vault.access import start
from infra.verify.logins import login_fault
from infra.workspace.folders import passed_over

LOST = "goes on without its folder, which was deleted"


def status(session: Session, services: tuple[str, ...]) -> None:
    """Print OK, FAIL or UNKNOWN for each unit of these services; the worst one makes the exit code."""
    units = _units(session, services)
    observed = session.target.observe_units(units)
    states = session.target.states()
    rows, words = [], {}
    for unit in units:
        seen = observed.units[unit.name]
        if session.is_store_lost and is_agent(unit.name) and not _doubt(unit, observed):
            word, detail = "FAIL", _orphaned(session, unit, seen)
        elif not isinstance(seen, Found):
            why = _doubt(unit, observed) or states.get(unit.name, {}).get("why") or _stopped(session, unit)
            word, detail = "FAIL", str(why)
        else:
            fault = _fault(session, unit, states)
            word, detail = ("FAIL", fault) if fault else ("OK", _living(seen.fact))
        words[unit.name] = f"{word} {detail}" if word != "OK" else "OK"
        address = f"127.0.0.1:{unit.port}" if unit.port else "-"
        rows.append((word, unit.service, unit.name, address, detail))
    for pid in session.target.lost_keepers():
        words[f"supervisor {pid}"] = f"FAIL {LOST}"
        rows.append(("FAIL", "-", "supervisor", "-", f"pid {pid} {LOST}"))
    session.console.table(rows)
    left.tell(session, session.target.running(), observed.unproven)
    session.outcome.facts["units"] = words
    bad = [name for name, word in words.items() if word != "OK"]
    if bad:
        owners = {unit.service for unit in units if unit.name in bad}
        is_one = len(owners) == 1 and all(name in observed.units for name in bad)
        command = session.say(f"{owners.pop()}.setup" if is_one else "setup")
        if session.is_store_lost:
            command = f"{start(session.environment)}, and begin anew: {session.say('destroy')}"
        if any(_doubt(unit, observed) for unit in units if unit.name in bad):
            command = session.say("down")
        raise KnownBad(f"{', '.join(bad)}: not working", next_step=command)


def _orphaned(session: Session, unit: Unit, seen: object) -> str:
    """Give what became of the agent of a Vault that is gone; who reads what it rendered goes on."""
    if isinstance(seen, Found):
        return f"{_living(seen.fact)} still asks a Vault that is gone; the next vault.dev, or down, ends it"
    has_rendered = Path(session.places.secrets_file(unit.service)).exists()
    return "ended with its Vault; what it rendered stays" if has_rendered else "was never set up"


def _fault(session: Session, unit: Unit, states: Mapping[str, Mapping[str, Any]]) -> str:
    """Give why a unit does not serve; an agent's health is the supervisor's to ask, since asking writes."""
    if unit.health.probe == "agent":
        return str(states.get(unit.name, {}).get("why", ""))
    return login_fault(session, unit)


def _doubt(unit: Unit, observed: Observed) -> str:
    """Give what stands in the place of a unit and does not prove to be ours."""
    found = next((one for one in observed.unproven if one.unit == unit.name), None)
    return f"pid {found.pid} {UNPROVEN} is not taken for it" if found else ""


def _living(running: Running) -> str:
    server = ", a development server" if running.bundle == DEVELOPMENT else ""
    return f"pid {running.identity.partition('@')[0]}{server}"


def _stopped(session: Session, unit: Unit) -> str:
    """Give since when a unit does not run, where that can be told."""
    newest = session.records.newest(unit.service)
    if newest is None or newest.verdict == "destroyed":
        return "was never set up"
    return "stopped since boot" if owner.has_rebooted(newest.boot) else "does not run"


def _units(session: Session, services: tuple[str, ...]) -> list[Unit]:
    scene = session.scene({})
    wanted = [session.project.service(name) for name in services]
    return [unit for service in wanted for unit in bundle_of(service, scene).units]


def logs(session: Session, service: str, tail: int, container: str, *, follow: bool) -> None:
    """Print the last lines of each unit of a service; with `follow` go on until Ctrl+C."""
    names = list(session.unit_names(session.project.service(service)))
    if container and container not in names:
        raise BadInput(f"{service} has no container {container!r}; it has {', '.join(names)}")
    chosen = [container] if container else names
    places: dict[str, int] = {}
    for name in chosen:
        whole = session.target.log_tail(name, tail) if follow else (session.target.log(name, tail), 0)
        lines, places[name] = whole
        session.console.log(name, lines)
        session.outcome.facts.setdefault("lines", {})[name] = len(lines)
    if follow:
        _follow(session, places)


def _follow(session: Session, places: dict[str, int]) -> None:
    while True:
        before = dict(places)
        for name, place in before.items():
            lines, places[name] = session.target.log_since(name, place)
            session.console.log(name, lines)
        if places == before:
            time.sleep(0.2)


def checkpoints(session: Session, service: str) -> None:
    """Print the furthest state of each checkpoint of the deploy that runs now."""
    units = _units(session, (service,))
    observed = session.target.observe_units(units)
    found = []
    for unit in units:
        running = observed.running(unit.name)
        lines = session.target.log(unit.name, 2000)
        for one in furthest(checkpoints_of(lines, running.deploy if running else "")).values():
            found.append(one)
            session.console.log(unit.name, [str(one)])
    session.outcome.checkpoints = [str(one) for one in found]
    if any(one.state == "fail" for one in found):
        raise KnownBad("a checkpoint failed", next_step=session.say(f"{service}.logs"))
    if not found:
        session.console.line(
            f"{service} reports no checkpoint: it does not run, or started before its log began"
        )


def history(session: Session, service: str, limit: int) -> None:
    """Print the newest records of a service: id, verdict, actor, release, error."""
    if limit < 1:
        raise BadInput(f"--limit {limit}: a number of 1 or more is expected")
    records = session.records.all(service)[:limit]
    session.console.table([_row(one) for one in records])
    left.tell(session, session.target.running())
    session.outcome.facts["records"] = [
        {key: value for key, value in one.as_json().items() if key in SUMMARY} for one in records
    ]
    if not records:
        session.console.line(f"{service} was never deployed in {session.environment.name}")


def _row(record: Record) -> tuple[str, ...]:
    version = (record.release or record.bundle_digest)[:12]
    kind = "rehearsal" if record.rehearsal else record.target
    return record.deploy, record.verdict, kind, record.actor, version, record.error.partition("\n")[0]


def doctor(session: Session) -> None:
    """Print which programs, folders and ports this environment uses on this machine."""
    places = session.places
    rows = [("environment", session.environment.name, "target process")]
    rows += [
        ("program", name, f"{one.version}   {one.argv[0]}") for name, one in sorted(places.programs.items())
    ]
    rows += [("account", one.name, _account(session, one)) for one in session.services]
    rows += [("port", name, words) for name, words in _ports(session).items()]
    rows += [("process", str(one), UNPROVEN) for one in session.target.unproven()]
    rows += [
        ("folder", "state", places.root),
        ("folder", "secrets", places.secrets),
        ("folder", "application", str(session.source)),
        ("limits", "memory, processes", "not enforced for processes"),
        ("limits", "health deadline", f"{session.deadline:g} s"),
        ("telemetry", "records", state(session.settings.telemetry.endpoint)),
        ("objects", "S3", _object_store(session)),
    ]
    if session.environment.has_vault:
        rows.append(("vault", "secrets", _vault(session)))
    rows += [
        ("folder", "passed over", f"{folder} belongs to uid {owner}")
        for folder, owner in passed_over(session.project.name)
        if folder.parent in Path(places.secrets).parents
    ]
    session.console.table(rows)
    session.outcome.facts |= {f"{kind} {name}": value for kind, name, value in rows}


def _account(session: Session, service: Service) -> str:
    """Give who runs a service, and why where that is no account of its own."""
    user, fault = session.places.user(service.name), session.places.without_accounts
    if user or os.getuid() != 0:
        return f"{user}: {fault}" if fault and user == EARLIER else user or "yours"
    if service.from_source:
        return "root: an account of its own comes with application environments"
    return f"root: {fault}"


def _vault(session: Session) -> str:
    """Give where the secrets of a rehearsal are kept, and how to have them in a Vault."""
    if session.vault:
        return f"{session.vault.address}, {session.vault.origin}"
    how = f"./inv vault.dev --env {session.environment.name}"
    return f"a file of this machine; {how} runs a Vault beside it"


def _ports(session: Session) -> dict[str, str]:
    """Give the ports of each unit, its own one first, and the strangers who hold one of them."""
    ports, strangers = session.places.ports, session.target.strangers_on(session.places.ports.values())
    parts = [part for service in session.services for part in service.parts]
    numbers = {part.name: [ports[name] for name in part.ports] for part in parts}
    return {
        name: ", ".join(f"{port}{_held_by(strangers.get(port, ''))}" for port in numbers[name])
        for name in sorted(numbers)
    }


def _held_by(stranger: str) -> str:
    return f" (held by {stranger})" if stranger else ""


def _object_store(session: Session) -> str:
    """Give where objects are kept here, what that costs, and how to do without."""
    addresses = session.keys.addresses
    if addresses.owns_object_store:
        cost = "about 1 s to its first answer, 120 to 200 MB of memory; object_store: none does without"
        return f"embedded, bucket {addresses.bucket}, {addresses.object_store}: {cost}"
    if addresses.object_store:
        return f"{addresses.object_store}, bucket {addresses.bucket}"
    return "none: bucket checks are skipped"
