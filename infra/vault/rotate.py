"""Gives generated keys new values, and proves that the old ones are refused; a failure is undone.

The store is written before the server, and it keeps older versions: whenever a run is cut short, the next one
asks the server which of them it takes, brings it to the newest, and begins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from infra import consent, deploy
from infra.model.errors import CannotTell, DeployFailed, InfraError, KnownBad, LeaseHeld, Refused
from infra.model.interruption import LeftAtOnce
from infra.model.secret import Secret, SecretSpec
from infra.plan.consumers import followers, readers
from infra.plan.key_choice import to_rotate
from infra.plan.rotation import Rotation
from infra.session import Request, Session
from infra.stages.lease import leased
from infra.store.keys import generate
from infra.store.paths import secrets_path
from infra.vault.logins import Login, logins_of
from infra.vault.one_key import newest, older, write_keys

Values = Mapping[str, Secret]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person asks of a rotation; `lock_wait` is seconds to wait for somebody else's deploy."""

    dry_run: bool = False
    yes: bool = False
    lock_wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Turn:
    """One rotation as it is carried out: its plan, the logins that it is about, the values before and after.

    `taken` are the values that a server may take now, the newest first.
    """

    session: Session
    plan: Rotation
    logins: tuple[Login, ...]
    old: Values
    new: Values
    taken: tuple[Values, ...]

    @property
    def path(self) -> str:
        """Where the service's values are."""
        return _path(self.session, self.plan.service)


def rotate(session: Session, service: str, key: str, wishes: Wishes) -> None:
    """Renew the named key of a service, or all its generated ones, and prove it; a repeat begins anew.

    KnownBad when it failed and was undone. `dry_run` shows the steps, writes nothing and exits with 3.
    """
    specs = to_rotate(session.keys.specs, service, key, session.keys.addresses, session.commands.choice)
    session.outcome.service = service
    command = _command(session, service, key)
    if wishes.dry_run:
        _show(session, _prepared(session, service, specs).plan)
        session.outcome.exit_code, session.outcome.outcome = 3, "changes are pending"
        return
    what = f"renew {', '.join(spec.key for spec in specs)} of {service}"
    consent.require_in_production(
        session.console, session.environment, what, f"{command} --yes", yes=wishes.yes
    )
    with leased(session, Request((service,), lock_wait=wishes.lock_wait)):
        turn = _prepared(session, service, specs)
        _show(session, turn.plan)
        _carry_out(turn, command)


def _show(session: Session, plan: Rotation) -> None:
    steps = [f"{name}: {words}" for name, words in plan.steps()]
    for step in steps:
        session.console.line(f"    {step}")
    session.outcome.changes = steps


def _prepared(session: Session, service: str, specs: tuple[SecretSpec, ...]) -> Turn:
    """Read everything that the rotation hangs on; raises what keeps it from beginning."""
    _require_no_drift(session)
    session = _as_deployed(session)
    path, keys = _path(session, service), tuple(spec.key for spec in specs)
    held, version = newest(session.store, path)
    if any(key not in held for key in keys) or not _is_deployed(session, service):
        raise CannotTell(f"{service} was never set up", next_step=session.say(f"{service}.setup"))
    taken = (held, *older(session.store, path, version, keys))
    session.keys.redactor.learn(*(one[key] for one in taken for key in keys))
    new = {**held, **{spec.key: generate(spec) for spec in specs}}
    session.keys.redactor.learn(*(new[key] for key in keys))
    logins = tuple(one for one in logins_of(session, service) if one.keys & set(keys))
    return Turn(session, _plan(session, service, specs, version, held, logins), logins, held, new, taken)


def _plan(
    session: Session,
    service: str,
    specs: tuple[SecretSpec, ...],
    version: int,
    held: Values,
    logins: tuple[Login, ...],
) -> Rotation:
    declared, addresses = session.keys.specs, session.keys.addresses
    live = tuple(one for one in logins if not one.is_set_at_start)
    follow = {place for spec in specs for place in followers(spec.place, declared, addresses)}
    read_by = {name for spec in specs for name in readers(spec.place, declared, addresses)}
    return Rotation(
        service,
        tuple(spec.key for spec in specs),
        version,
        tuple(sorted(follow)),
        tuple(name for name in session.service_names if name in read_by and _is_deployed(session, name)),
        at_servers=tuple(one.name for one in live),
        at_start=tuple(one.name for one in logins if one.is_set_at_start),
        behind=tuple(one.name for one in live if not one.accepts(held)),
    )


def _require_no_drift(session: Session) -> None:
    drifted = session.keys.forecast().drifted
    for service, keys in drifted.items():
        raise Refused(
            f"derived keys were changed by another hand: {service} {', '.join(keys)}",
            next_step=session.say(f"{service}.setup --repair-derived"),
        )


def _as_deployed(session: Session) -> Session:
    """Give the session with the release that runs: a new password is no reason to bring new code."""
    for one in session.services:
        record = session.records.last_good(one.name) if one.from_source else None
        if record is not None and not session.target.snapshots.intact(record.release):
            words = f"the snapshot of release {record.release[:12]}, which runs, is gone or was changed"
            raise Refused(words, next_step=session.say(f"{one.name}.setup"))
        if record is not None:
            return replace(session, release=record.release)
    return session


def _is_deployed(session: Session, service: str) -> bool:
    return session.records.last_good(service) is not None


def _carry_out(turn: Turn, command: str) -> None:
    """Do each step; the first one that fails is undone with all before it."""
    _heal(turn)
    done: list[str] = []
    try:
        for name, act in _STEPS.items():
            if name in dict(turn.plan.steps()):
                done.append(name)
                with turn.session.console.stage(name) as stage:
                    stage.say(act(turn))
    except (LeaseHeld, LeftAtOnce):
        raise  # somebody else changes things by now, or nothing is waited for: a repeat goes on
    except InfraError as failure:
        _undo(turn, done, failure, command)
    except BaseException:
        _undo(turn, done, None, command)
        raise
    else:
        turn.session.outcome.outcome = "rotated"


def _heal(turn: Turn) -> None:
    """Bring each login that an earlier run left behind to what the store holds."""
    behind = [one for one in turn.logins if one.name in turn.plan.behind]
    if behind:
        with turn.session.console.stage("heal") as stage:
            for login in behind:
                login.change(turn.taken, turn.old)
            stage.say(f"version {turn.plan.version} is taken by {', '.join(one.name for one in behind)}")


def _write(turn: Turn) -> str:
    turn.session.keys.make()  # with the old values: a derived key of earlier addresses is known by them only
    fresh = {key: turn.new[key] for key in turn.plan.keys}
    written = write_keys(turn.session.store, turn.path, fresh)
    return f"version {written.version}"


def _change(turn: Turn) -> str:
    turn.session.claim.require(turn.session.commands.choice)
    for login in turn.logins:
        login.change(turn.taken, turn.new)
    return ", ".join(turn.plan.at_servers)


def _derive(turn: Turn) -> str:
    made = turn.session.keys.make()
    return ", ".join(f"{name} {key}" for name, keys in made.rewritten.items() for key in keys)


def _redeploy(turn: Turn) -> str:
    session = turn.session
    before = len(session.outcome.errors)
    deploy.setup(session, Request(turn.plan.services, no_rollback=True))
    if len(session.outcome.errors) > before:
        raise DeployFailed("the redeploy with the new values failed", next_step=session.say("app.logs"))
    return ", ".join(turn.plan.services)


def _prove(turn: Turn) -> str:
    for login in turn.logins:
        if not login.accepts(turn.new):
            raise KnownBad(f"{login.name} does not take the new value")
        if any(login.accepts(old) for old in turn.taken):
            raise KnownBad(f"{login.name} still takes an old value")
    return f"the old value is refused by {', '.join(one.name for one in turn.logins)}"


_STEPS: Mapping[str, Callable[[Turn], str]] = {
    "write": _write,
    "change": _change,
    "derive": _derive,
    "redeploy": _redeploy,
    "prove": _prove,
}


def _undo(turn: Turn, done: list[str], failure: InfraError | None, command: str) -> None:
    """Put back what was there, in the store, at the server and in what runs; tell the first failure."""
    session = turn.session
    if failure is not None:
        session.outcome.fail(failure)
        session.console.error(failure)
    try:
        with session.interruption.deferred(), session.console.stage("undo") as stage:
            stage.say(_put_back(turn, done))
    except InfraError as error:
        session.outcome.fail(error)
        session.console.error(error)
        session.outcome.outcome = "failed_not_rolled_back"
        words = "not all of it was undone; a repeat finds out what the server takes and begins anew"
        raise KnownBad(words, next_step=command) from error
    session.outcome.outcome = "failed_rolled_back"
    session.console.line("undone: the old values are in force again")


def _put_back(turn: Turn, done: list[str]) -> str:
    for login in turn.logins if "change" in done else ():
        if not login.accepts(turn.old):
            login.change((turn.new, *turn.taken), turn.old)
    write_keys(turn.session.store, turn.path, {key: turn.old[key] for key in turn.plan.keys})
    turn.session.keys.make()
    if "redeploy" in done:
        _redeploy(turn)
    return f"the store holds the old values again, in its newest version; undone: {', '.join(reversed(done))}"


def _path(session: Session, service: str) -> str:
    return secrets_path(session.project.name, session.keys.environment, service)


def _command(session: Session, service: str, key: str) -> str:
    named = f" --key {key}" if key else ""
    return f"./inv vault.rotate {session.commands.choice} --service {service}{named}"
