"""The runbook. One engine for every service, environment and target; a line a stage.

plan ─▶ preflight ─▶ apply ─▶ gate ─▶ facts ─▶ probes ─▶ watch ─▶ record
                                └──── bad ────┴──▶ the same again, with the last good record
"""

from __future__ import annotations

from collections.abc import Sequence

from infra.model.errors import CannotTell, DeployFailed, InfraError
from infra.model.operation import Operation
from infra.model.unit import Bundle
from infra.model.verdict import Verdict
from infra.session import Request, Session
from infra.stages import prove
from infra.stages.apply import Attempt, apply, begin
from infra.stages.check import check, require_same
from infra.stages.keep import is_settled, keep
from infra.stages.lease import leased
from infra.stages.look import Picture, look
from infra.stages.report import reported, telemetry_filter
from infra.stages.restore import chosen, last_good, require_snapshots, way_back
from infra.stages.words import as_facts, plan_lines, summary


def plan(session: Session, request: Request, recorded: dict[str, Bundle] | None = None) -> Picture:
    """Give the picture of this moment and show its plan; writes nothing."""
    with session.console.stage("plan") as stage:
        picture = look(session, request, recorded)
        stage.say(summary(picture.plan))
    for line in plan_lines(picture.plan):
        session.console.line(line)
    return picture


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
    with leased(session, request):
        attempt = begin(session, plan(session, request), deploy=request.deploy)
        require_same(session, request, attempt.picture)
        if attempt.picture.plan.is_empty and is_settled(session, attempt):
            _confirm(session, attempt)
            return
        _preflight(session, request, attempt.picture)
        with reported(session, attempt) as report:
            verdict = report.verdict(_try(session, request, attempt))
            if verdict.ok:
                _succeed(session, attempt, verdict)
            else:
                _fail(session, request, attempt, verdict)


def rollback(session: Session, request: Request, to: str) -> None:
    """Put an earlier good release of one service back: the one before, or the one that is named."""
    with leased(session, request):
        record = chosen(session, request.services[0], to)
        session.console.line(
            f"back to {record.deploy}, release {(record.release or record.bundle_digest)[:12]}"
        )
        _return_to(session, request, {record.service: record.bundle} if record.bundle else {})


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


def _try(session: Session, request: Request, attempt: Attempt) -> Verdict:
    """Apply and prove; the first bad verdict ends the try."""
    session.outcome.deploy_id = session.outcome.deploy_id or attempt.deploy
    session.outcome.changes += [str(step) for step in attempt.picture.plan.operations]
    with session.console.stage("apply") as stage:
        apply(session, request, attempt, stage)
    verdict = Verdict(ok=True)
    for name, prover in prove.PROVERS.items():
        with session.console.stage(name) as stage:
            found = prover(session, attempt, stage)
            stage.is_good = found.ok
        verdict = found.after(verdict)
        if not verdict.ok:
            break
    return verdict


def _succeed(session: Session, attempt: Attempt, verdict: Verdict) -> None:
    with session.console.stage("record") as stage:
        keep(session, attempt, verdict, "ok")
        stage.say(attempt.deploy)
    session.outcome.outcome = session.outcome.outcome if session.outcome.errors else "deployed"
    session.outcome.checkpoints = list(verdict.checkpoints)


def _fail(session: Session, request: Request, attempt: Attempt, verdict: Verdict) -> None:
    """Report the first error, then go back to the last good release where there is one."""
    first = _failure(session, attempt, verdict)
    session.outcome.fail(first)
    session.outcome.checkpoints = list(verdict.checkpoints)
    session.console.error(first)
    back = {} if request.no_rollback else last_good(session, attempt)
    keep(session, attempt, verdict, "failed")
    session.outcome.outcome = _roll_back(session, request, attempt, verdict, back) if back else "failed"
    session.console.line(f"outcome: {session.outcome.outcome.replace('_', ' ')}")


def _roll_back(
    session: Session, request: Request, attempt: Attempt, verdict: Verdict, back: dict[str, Bundle]
) -> str:
    session.console.line("rolling back to the last good release")
    try:
        first = way_back(session, attempt, verdict, back)
        left = next((attempt.picture.wanted.bundles[name] for name in back if back[name].release), None)
        _return_to(session, request, back, first, left)
    except InfraError as error:
        session.outcome.fail(error)
        session.console.error(error)
        return "failed_not_rolled_back"
    return "failed_rolled_back"


def _return_to(
    session: Session,
    request: Request,
    back: dict[str, Bundle],
    first: Sequence[Operation] = (),
    left: Bundle | None = None,
) -> None:
    """Run the engine on recorded bundles, after the steps that come first; DeployFailed if in vain."""
    require_snapshots(session, back)
    attempt = begin(session, plan(session, request, back).preceded_by(first), left)
    with reported(session, attempt) as report:
        verdict = report.verdict(_try(session, request, attempt))
        keep(session, attempt, verdict, "ok" if verdict.ok else "failed")
        if not verdict.ok:
            raise _failure(session, attempt, verdict)


def _failure(session: Session, attempt: Attempt, verdict: Verdict) -> DeployFailed:
    """Give a bad verdict as an error; its last line of evidence says what to look for in telemetry."""
    lines = (*verdict.evidence, *telemetry_filter(session, attempt))
    return DeployFailed(verdict.cause, next_step=verdict.next_step, evidence=lines)
