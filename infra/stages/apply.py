"""Apply: the operations of the plan, each one call, under the lease."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass

from infra.console import Stage
from infra.model.clock import deploy_id, iso
from infra.model.operation import IN_THE_STORE
from infra.model.unit import Bundle
from infra.model.verdict import Verdict
from infra.session import Request, Session
from infra.stages.look import Picture
from infra.targets.process import origin
from infra.targets.process.target import Delivery

DONE_AT_ONCE = IN_THE_STORE | {"move-ports"}  # by the engine itself, before the target's first step


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to make a picture's plan true.

    `began` is seconds since the epoch; `exits` counts how often each unit had ended by itself before.
    `failed` is the bundle that a rollback leaves.
    """

    deploy: str
    picture: Picture
    began: float
    started: str
    exits: Mapping[str, int]
    failed: Bundle | None = None

    @property
    def started_units(self) -> frozenset[str]:
        """The units that had to start in this try."""
        kinds = {"start-unit", "restart-unit"}
        return frozenset(step.subject for step in self.picture.plan.operations if step.kind in kinds)

    @property
    def services(self) -> tuple[str, ...]:
        """The services that this try starts something of, and those that were asked for."""
        owners = {step.service for step in self.picture.plan.operations if step.subject in self.started_units}
        asked = self.picture.wanted.asked
        return tuple(one.name for one in self.picture.wanted.services if one.name in owners | asked)


def begin(session: Session, picture: Picture, failed: Bundle | None = None, deploy: str = "") -> Attempt:
    """Give a new try, with an id of its own unless it is given one.

    Denied where somebody else could have written what the units run from.
    """
    narrowed = session.target.narrow()
    if narrowed:
        words = f"narrowed the rights of others on {narrowed} files and folders"
        session.console.line(f"{words} below {session.places.root}")
    moment = session.now()
    exits = {name: int(state["exits"]) for name, state in session.target.states().items()}
    own = deploy or deploy_id(moment, secrets.token_hex(2))
    return Attempt(own, picture, time.time(), iso(moment), exits, failed)


def apply(session: Session, request: Request, attempt: Attempt, stage: Stage) -> Verdict:
    """Carry out the plan; stops at the first operation that fails, and a repeat goes on from there.

    What was not done is then in the outcome's facts. A person's signal is heard between two operations.
    """
    picture = attempt.picture
    if session.vault:
        origin.remember(session.places, session.vault.cluster)
    if any(step.kind == "move-ports" for step in picture.plan.operations):
        session.ports.keep()
    values = session.keys.make(repair=request.repair_derived).values
    delivery = Delivery(picture.wanted.bundles, values, session.source, attempt.deploy, attempt.failed)
    steps = [step for step in picture.plan.operations if step.kind not in DONE_AT_ONCE]
    for number, step in enumerate(steps, 1):
        session.outcome.facts["not_done"] = [str(one) for one in steps[number - 1 :]]
        stage.wait(f"{number}/{len(steps)} {step.kind.replace('-', ' ')} {step.subject}")
        session.interruption.require()
        session.claim.require(session.commands.choice)
        session.target.execute(step, delivery)
    session.outcome.facts.pop("not_done", None)
    stage.say(f"{len(picture.plan.operations)} operations")
    return Verdict(ok=True)
