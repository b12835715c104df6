"""The runbook. One engine for every service, environment and target; a line a stage.

plan ─▶ preflight ─▶ apply ─▶ gate ─▶ facts ─▶ probes ─▶ watch ─▶ record
                                └──── bad ────┴──▶ the same again, with the last good record
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from infra.model.errors import CannotTell, Denied, DeployFailed, InfraError, LeaseHeld, Unwritable
from infra.model.faults import as_error
from infra.model.interruption import Interrupted, LeftAtOnce
from infra.model.operation import Operation
from infra.model.unit import Bundle
from infra.model.verdict import INTERRUPTED, Verdict
from infra.session import Request, Session
from infra.stages import left, prove
from infra.stages.apply import Attempt, apply, begin
from infra.stages.check import check, require_same
from infra.stages.keep import is_settled, keep
from infra.stages.lease import leased
from infra.stages.look import Picture
from infra.stages.ports import PORT_LOST, in_view_of_strangers, look_for_room, make_room
from infra.stages.report import reported, telemetry_filter
from infra.stages.restore import chosen, last_good, require_snapshots, way_back
from infra.stages.words import as_facts, plan_lines, summary

MOVES = 3  # how often a deploy takes other ports since a stranger was faster


def plan(session: Session, request: Request, recorded: dict[str, Bundle] | None = None) -> Picture:
    """Give the picture of this moment and show its plan; writes nothing."""
    with session.console.stage("plan") as stage:
        picture = look_for_room(session, request, recorded)
        stage.say(summary(picture.plan))
    left.tell(session, picture.observed.live(), picture.observed.unproven)
    for line in (*plan_lines(picture.plan), *session.passed.words):
        session.console.line(line)
    if session.places.without_accounts:
        session.console.line(f"! servers run as {_who_runs(session)}: {session.places.without_accounts}")
    for name, why in picture.wanted.left_out.items():
        session.console.line(f"! {why}")
        session.outcome.facts.setdefault("not_started", {})[name] = why
    return picture


def _who_runs(session: Session) -> str:
    return " and ".join(dict.fromkeys(session.places.user(one.name) or "root" for one in session.services))


def show(session: Session, request: Request) -> None:
    """Show the plan; exit 3 when something would change, 2 when something could not be read."""
    picture = plan(session, request)
    session.outcome.changes = [str(step) for step in picture.plan.operations]
    session.outcome.facts |= {"plan": picture.plan.identity, "operations": as_facts(picture.plan)}
    unknown = picture.observed.unknowns()
    if unknown:
        raise CannotTell("the plan is not whole: something could not be read", evidence=tuple(unknown))
    session.outcome.exit_code = 0 if picture.plan.is_empty else 3
    session.outcome.outcome = "nothing to do" if picture.plan.is_empty else "changes are pending"


def setup(session: Session, request: Request) -> None:
    """Make what is asked for run, and prove it. A repeat after any failure or kill goes on from there."""
    with leased(session, request), _telling_what_runs(session):
        _settle(session)
        attempt = begin(session, plan(session, request), deploy=request.deploy)
        require_same(session, request, attempt.picture)
        if attempt.picture.plan.is_empty and is_settled(session, attempt):
            _confirm(session, attempt)
            return
        _preflight(session, request, attempt.picture)
        with session.interruption.held():
            _deploy(session, request, attempt)


def rollback(session: Session, request: Request, to: str) -> None:
    """Put an earlier good release of one service back: the one before, or the one that is named."""
    with leased(session, request), _telling_what_runs(session):
        _settle(session)
        record = chosen(session, request.services[0], to)
        session.console.line(
            f"back to {record.deploy}, release {(record.release or record.bundle_digest)[:12]}"
        )
        with session.interruption.held():
            _return_to(session, request, {record.service: record.bundle} if record.bundle else {})


def _settle(session: Session) -> None:
    """Write down what earlier commands left; where that cannot be written, it waits for the next command."""
    try:
        left.settle(session)
    except (Unwritable, Denied) as error:
        session.console.line(f"left behind, and not written down now: {error.message}")


@contextmanager
def _telling_what_runs(session: Session) -> Iterator[None]:
    """Say what runs when a second signal ends the body at once."""
    try:
        yield
    except LeftAtOnce:
        running = session.target.living()
        session.console.line(f"left at once; running, and not proven: {', '.join(running) or 'nothing'}")
        session.console.line(f"→ {session.say('status')}")
        session.outcome.facts["running"] = running
        raise


def _confirm(session: Session, attempt: Attempt) -> None:
    """Nothing has to change; say so only if it also serves."""
    with session.console.stage("gate") as stage:
        verdict = prove.confirm(session, attempt, stage)
    if not verdict.ok:
        command = session.say(f"{attempt.services[-1]}.setup --force")
        words = f"nothing to change, but not healthy: {verdict.cause}"
        raise DeployFailed(words, next_step=command, evidence=verdict.evidence)
    session.outcome.outcome = "nothing to do"
    session.console.line("nothing to do")


def _preflight(session: Session, request: Request, picture: Picture) -> None:
    with session.console.stage("preflight") as stage:
        stage.say(check(session, request, picture))


def _deploy(session: Session, request: Request, attempt: Attempt, moves: int = MOVES) -> None:
    """Make the plan true; where a port is lost on the way, on other ones, at most `moves` times."""
    with reported(session, attempt) as report:
        verdict = report.verdict(_seen(session, request, attempt, _try(session, request, attempt)))
        is_lost = moves > 0 and verdict.category == PORT_LOST
        again = _elsewhere(session, request, attempt, verdict) if is_lost else None
        if verdict.ok:
            _succeed(session, attempt, verdict)
        elif again is None:
            _fail(session, request, attempt, verdict)
    if again is not None:
        _deploy(session, request, again, moves - 1)


def _seen(session: Session, request: Request, attempt: Attempt, verdict: Verdict) -> Verdict:
    """Give the verdict in view of strangers on our ports; as it is where that cannot be seen."""
    try:
        return in_view_of_strangers(session, request, attempt.picture, verdict)
    except Exception as error:  # noqa: BLE001  # the deploy has its verdict already
        session.console.line(f"! who holds the ports cannot be seen: {as_error(error).message}")
        return verdict


def _elsewhere(session: Session, request: Request, attempt: Attempt, verdict: Verdict) -> Attempt | None:
    """Give the next attempt, on other ports, once what goes with the lost one is stopped.

    None where this very plan, or this deploy's id, was agreed to, and where no room can be made.
    """
    if request.plan or request.deploy:
        return None
    session.console.line(f"! {verdict.cause}: the deploy goes on with other ports")
    try:
        with session.interruption.deferred():
            with session.console.stage("make room") as stage:
                make_room(session, request, attempt.picture, stage)
            again = begin(session, plan(session, request))
            _preflight(session, request, again.picture)
    except LeaseHeld:
        raise
    except Exception as error:  # noqa: BLE001  # without room the deploy ends as any that fails
        session.console.error(as_error(error))
        return None
    session.outcome.outcome, session.outcome.deploy_id = "failed", ""
    return again


def _try(session: Session, request: Request, attempt: Attempt) -> Verdict:
    """Apply and prove; whatever fails or asks to stop ends the try with a bad verdict, as a bad answer does.

    LeaseHeld goes through: somebody else changes things by now.
    """
    session.outcome.deploy_id = session.outcome.deploy_id or attempt.deploy
    session.outcome.changes += [str(step) for step in attempt.picture.plan.operations]
    verdict = Verdict(ok=True)
    stages: dict[str, prove.Prover] = {
        "apply": lambda its, made, stage: apply(its, request, made, stage),
        **prove.PROVERS,
    }
    for name, act in stages.items():
        try:
            with session.console.stage(name) as stage:
                found = act(session, attempt, stage)
                stage.is_good = found.ok
        except (LeaseHeld, LeftAtOnce):
            raise
        except Exception as error:  # noqa: BLE001  # however a stage fails, the deploy has one end
            found = _as_verdict(session, as_error(error))
        except Interrupted as signal:
            found = _as_verdict(session, signal)
        verdict = found.after(verdict)
        if not verdict.ok:
            break
    return verdict


def _as_verdict(session: Session, end: InfraError | Interrupted) -> Verdict:
    """Give what ended a stage as a bad verdict; after a signal a failure is the signal's, as of children."""
    undone = tuple(f"not done: {step}" for step in session.outcome.facts.get("not_done", ()))
    if isinstance(end, InfraError) and not session.interruption.is_due:
        return Verdict(
            ok=False,
            category=end.kind,
            cause=end.message,
            evidence=(*end.evidence, *undone),
            next_step=end.next_step,
        )
    words = f"interrupted by {session.interruption.name}"
    return Verdict(
        ok=False, category=INTERRUPTED, cause=words, evidence=undone, next_step=session.say("status")
    )


def _succeed(session: Session, attempt: Attempt, verdict: Verdict) -> None:
    is_first = not session.outcome.errors
    with session.console.stage("record") as stage:
        keep(session, attempt, verdict, "ok")
        stage.say(attempt.deploy)
    session.outcome.outcome = "deployed" if is_first else session.outcome.outcome
    session.outcome.checkpoints = list(verdict.checkpoints)


def _fail(session: Session, request: Request, attempt: Attempt, verdict: Verdict) -> None:
    """Report the first error, then go back to the last good release if there is one; no signal stops it."""
    session.outcome.checkpoints = list(verdict.checkpoints)
    _report(session, _failure(session, attempt, verdict))
    is_interrupted = verdict.category == INTERRUPTED
    with session.interruption.deferred():
        keep(session, attempt, verdict, "interrupted" if is_interrupted else "failed")
        outcome = _roll_back(session, request, attempt, verdict)
    session.outcome.outcome = "interrupted" if is_interrupted else outcome
    session.outcome.facts["rolled_back"] = outcome == "failed_rolled_back"
    words = outcome.replace("failed", "interrupted") if is_interrupted else outcome
    session.console.line(f"outcome: {words.replace('_', ' ')}")
    if is_interrupted:
        raise Interrupted(session.interruption.number)


def _report(session: Session, error: InfraError) -> None:
    session.outcome.fail(error)
    session.console.error(error)


def _roll_back(session: Session, request: Request, attempt: Attempt, verdict: Verdict) -> str:
    """Give the outcome of the way back; what bars it is told, and nothing more is changed then."""
    try:
        back = {} if request.no_rollback else last_good(session, attempt)
        if not back:
            return "failed"
        session.console.line("rolling back to the last good release")
        first = way_back(session, attempt, verdict, back)
        failed = next((attempt.picture.wanted.bundles[name] for name in back if back[name].release), None)
        _return_to(session, request, back, first, failed)
    except Exception as error:  # noqa: BLE001  # a way back that fails has one end, too
        _report(session, as_error(error))
        return "failed_not_rolled_back"
    return "failed_rolled_back"


def _return_to(
    session: Session,
    request: Request,
    back: dict[str, Bundle],
    first: Sequence[Operation] = (),
    failed: Bundle | None = None,
) -> None:
    """Run the engine on recorded bundles, after the steps that come first; DeployFailed if in vain.

    CannotTell where not all can be read of what runs; nothing is changed then.
    """
    require_snapshots(session, back)
    picture = plan(session, request, back)
    unknown = picture.observed.unknowns()
    if unknown:
        words = "what runs cannot be read, and nothing more is changed"
        raise CannotTell(words, evidence=tuple(unknown), next_step=session.say("status"))
    attempt = begin(session, picture.preceded_by(first), failed)
    with reported(session, attempt) as report:
        verdict = report.verdict(_try(session, request, attempt))
        is_interrupted = verdict.category == INTERRUPTED
        keep(session, attempt, verdict, "ok" if verdict.ok else "interrupted" if is_interrupted else "failed")
        if is_interrupted:
            _report(session, _failure(session, attempt, verdict))
            raise Interrupted(session.interruption.number)
        if not verdict.ok:
            raise _failure(session, attempt, verdict)


def _failure(session: Session, attempt: Attempt, verdict: Verdict) -> DeployFailed:
    """Give a bad verdict as an error; its last line of evidence says what to look for in telemetry."""
    lines = (*verdict.evidence, *telemetry_filter(session, attempt))
    return DeployFailed(verdict.cause, next_step=verdict.next_step, evidence=lines)
