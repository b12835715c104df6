"""Verify: the gate, the facts of what runs, the write probes and the watch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from infra.console import Stage
from infra.model.observed import Found, Observed
from infra.model.unit import Bundle
from infra.model.verdict import Verdict
from infra.plan import facts
from infra.session import Session
from infra.stages.apply import Attempt
from infra.stages.ports import strangers
from infra.targets.process import secret_files
from infra.verify.gate import Aim, Gate
from infra.verify.write_probes import PROBES, SOFT, is_off

CONFIRMED_WITHIN = 5.0
LOOKS_APART = 0.2


def gate(session: Session, attempt: Attempt, stage: Stage) -> Verdict:
    """Give the gate's verdict on everything that this attempt touched."""
    return _pass(stage, session, aim_at(session, attempt, session.deadline))


def confirm(session: Session, attempt: Attempt, stage: Stage) -> Verdict:
    """Give whether what runs unchanged is healthy now."""
    return _pass(stage, session, replace(aim_at(session, attempt, CONFIRMED_WITHIN), in_a_row=1))


def _pass(stage: Stage, session: Session, aim: Aim) -> Verdict:
    verdict = Gate(session.target, aim, lambda seen: _wait(session, stage, seen)).wait()
    words = {0: "ready", 1: "healthy"}
    seen = words.get(aim.in_a_row if aim.answers else 0, "healthy twice in a row")
    stage.say(seen if verdict.ok else f"{verdict.category}: {verdict.cause}")
    stage.is_good = verdict.ok
    return verdict


def _wait(session: Session, stage: Stage, words: str) -> None:
    """Show what is waited for; here a person's signal is heard."""
    session.interruption.require()
    stage.wait(words)


def aim_at(session: Session, attempt: Attempt, deadline: float) -> Aim:
    """Give what the gate has to see for this attempt."""
    wanted = attempt.picture.wanted
    soft = {name for name in attempt.services if session.project.service(name).is_soft}
    bundles = [wanted.bundles[name] for name in attempt.services]
    units = [unit for bundle in bundles if bundle.service not in soft for unit in bundle.units]
    reporter = next(
        (unit for unit in units if unit.health.probe == "http" and unit.health.path == "/health"), None
    )
    is_app = reporter is not None
    return Aim(
        units=tuple(unit.name for unit in units),
        beside=tuple(unit.name for one in bundles if one.service in soft for unit in one.units),
        deploy=attempt.deploy,
        release=next((bundle.release for bundle in bundles if bundle.release), ""),
        answers=(f"http://127.0.0.1:{reporter.port}/health", f"{session.url}/api/health") if reporter else (),
        pages=(f"{session.url}/",) if is_app else (),
        reporter=reporter.name if reporter and reporter.name in attempt.started_units else "",
        deadline=deadline,
        interval=session.environment.gate_interval,
        command=session.say(f"{attempt.services[-1]}.logs"),
        exits={name: count for name, count in attempt.exits.items() if name not in attempt.started_units},
    )


def check_facts(session: Session, attempt: Attempt, stage: Stage) -> Verdict:
    """Give whether the processes that run are those that were sent, and nothing else."""
    found = confirmed(lambda: _faults(session, attempt))
    stage.say(f"{len(attempt.started_units)} units started, nothing left over" if not found else found[0])
    command = session.say(f"{attempt.services[-1]}.setup --force")
    return Verdict(
        ok=not found,
        category="facts",
        cause=found[0] if found else "",
        evidence=tuple(found),
        next_step=command,
    )


def confirmed(look: Callable[[], list[str]]) -> list[str]:
    """Give the faults that are seen; none when a second look a moment later sees none.

    A process that goes from one program to the next bears no mark for that moment, and one whose parent has
    just ended seems to belong to nobody.
    """
    if not look():
        return []
    time.sleep(LOOKS_APART)
    return look()


def _faults(session: Session, attempt: Attempt) -> list[str]:
    bundles = {name: attempt.picture.wanted.bundles[name] for name in attempt.services}
    observed = session.target.observe(bundles.values(), session.declared_units)
    return [
        *facts.mismatches(observed, bundles, attempt.started_units, attempt.picture.observed, attempt.deploy),
        *_unfit_files(session, observed, bundles),
        *session.target.exposures(_units(bundles.values())),
    ]


def _unfit_files(session: Session, observed: Observed, bundles: Mapping[str, Bundle]) -> Iterator[str]:
    """Give a line for each rendered file that is not private, or not what the store holds."""
    values = session.keys.readable()
    for name, bundle in bundles.items():
        is_rendered = bundle.secret_versions and name not in session.settings.drills.hold_back_secrets
        digest = secret_files.agent_digest if session.vault else secret_files.digest
        if is_rendered and observed.secret_files.get(name) != Found(digest(values[name])):
            yield f"{name}: its rendered secrets file is not private, or not what the store holds"


def _units(bundles: Iterable[Bundle]) -> list[str]:
    return [unit.name for bundle in bundles for unit in bundle.units]


def write_probes(session: Session, attempt: Attempt, stage: Stage) -> Verdict:
    """Give whether every store that the asked services need takes a write, but for the soft ones."""
    owners = {name: one for name, one in _probed(attempt).items() if name not in SOFT}
    return _written(session, owners, stage)


def soft_probes(session: Session, attempt: Attempt, stage: Stage) -> Verdict:
    """Give whether the soft stores take a write, waiting for it; one that is switched off is skipped."""
    owners = {name: one for name, one in _probed(attempt).items() if name in SOFT}
    left_out = attempt.picture.wanted.left_out
    owners = {name: one for name, one in owners.items() if name not in _probes_of(session, left_out)}
    if owners and strangers(session, attempt.picture):
        return Verdict(ok=False, category="port_taken", cause="a stranger has one of its ports")
    if left_out and not owners:
        stage.say(f"skipped: {', '.join(left_out)} is left out")
    elif not owners:
        stage.say("not needed")
    elif all(is_off(name, session.keys.readable()["app"]) for name in owners):
        stage.say("skipped: there is no object store")
    else:
        return _written(session, owners, stage)
    return Verdict(ok=True)


def _probes_of(session: Session, services: Iterable[str]) -> set[str]:
    return {session.project.service(name).write_probe for name in services}


def _probed(attempt: Attempt) -> dict[str, str]:
    """Give the probes of this attempt's services, each with the service that answers for it."""
    services = attempt.picture.wanted.services
    names = dict.fromkeys(one.write_probe for one in services if one.write_probe)
    return {name: next(one.name for one in services if one.write_probe == name) for name in names}


def _written(session: Session, owners: Mapping[str, str], stage: Stage) -> Verdict:
    secrets = session.keys.readable()["app"]
    for name, service in owners.items():
        _wait(session, stage, f"{name} takes a write")
        fault = PROBES[name](secrets, session.target)
        if fault:
            stage.say(f"{name}: {fault}")
            command = session.say(f"{service}.logs")
            return Verdict(ok=False, category="write_probe", cause=f"{name}: {fault}", next_step=command)
    stage.say(f"{', '.join(owners)} took a write and gave it back")
    return Verdict(ok=True)


def watch(session: Session, attempt: Attempt, stage: Stage) -> Verdict:
    """Give whether everything stays up and healthy for as long as the environment watches."""
    seconds = session.environment.watch_seconds
    until = time.monotonic() + seconds
    aim = aim_at(session, attempt, deadline=5.0)
    while time.monotonic() < until:
        _wait(session, stage, "nothing has died or changed")
        verdict = Gate(session.target, aim).wait()
        if not verdict.ok:
            stage.say(f"{verdict.category}: {verdict.cause}")
            return verdict
    stage.say(f"no restart, no death, healthy for {seconds:g} s")
    return Verdict(ok=True)


Prover = Callable[[Session, Attempt, Stage], Verdict]
PROVERS: Mapping[str, Prover] = {
    "gate": gate,
    "facts": check_facts,
    "probes": write_probes,
    "watch": watch,
    "objects": soft_probes,
}
