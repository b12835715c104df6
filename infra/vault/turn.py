"""One environment's turn: what its survey found is carried out, under the environment's lease."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from infra import consent
from infra.model.clock import iso
from infra.model.errors import InfraError, NotCleaned
from infra.plan import rights
from infra.plan.credentials import WRAPPED_FOR, Step
from infra.session import Request, Session
from infra.stages.lease import leased
from infra.store import records
from infra.store.paths import credentials_path
from infra.targets.process import credentials
from infra.vault.custody import Custody, require
from infra.vault.renewal import Renewal, destroy_others
from infra.vault.row import ALL, Row, bad
from infra.vault.survey import Survey, Target, look


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asks for. `wrap_ttl` is seconds; a service that is named gets a new credential anyway."""

    service: str = ""
    due: bool = False
    revoke: bool = False
    wrap_ttl: int = WRAPPED_FOR
    dry_run: bool = False
    yes: bool = False

    @property
    def is_asked_for(self) -> bool:
        """True when a new credential is made also where the old one would do."""
        return bool(self.service) and not self.due


def take(session: Session, custody: Custody, wish: Wish, found: Survey) -> tuple[Row, ...]:
    """Carry out what was found and give a row for each target; what fails is in its row."""
    try:
        _ask(session, wish)
        with leased(session, Request(())):
            return tuple(_Turn(session, custody, wish, found).rows())
    except InfraError as error:
        return (bad(session.environment.name, wish.service or ALL, error),)


def _ask(session: Session, wish: Wish) -> None:
    again = f"{session.commands.setup_tokens} --yes"
    what = "renew credentials and restart what uses them"
    consent.require_in_production(session.console, session.environment, what, again, yes=wish.yes)


@dataclass(frozen=True, slots=True)
class _Turn:
    session: Session
    custody: Custody
    wish: Wish
    found: Survey

    def rows(self) -> Iterator[Row]:
        """Give the rows, in the order in which things are done."""
        yield from [self._do_common(step) for step in self.found.common]
        done = [one if isinstance(one, Row) else self._do(self._again(one)) for one in self.found.looked]
        yield from done
        yield from self._record(done)

    def _again(self, target: Target) -> Target | Row:
        """Give the target as it stands under the lease; where no role was, nothing can have moved since."""
        if not target.seen.has_role:
            return target
        return look(self.custody, self.found.held, target.service, is_asked_for=self.wish.is_asked_for)

    def _do_common(self, step: Step) -> Row:
        name, approle = self.found.environment, self.custody.approle
        try:
            if step.kind == "switch-lockout-off":
                approle.switch_lockout_off()
            else:
                approle.write_policy(*self.custody.deployer())
        except InfraError as error:
            return bad(name, ALL, error, (step,))
        return Row(name, ALL, "done", (step,))

    def _do(self, target: Target | Row) -> Row:
        """Carry out the steps of one target; the error of one leaves the others alone."""
        if isinstance(target, Row):
            return target
        name, service = self.found.environment, target.service
        if not target.steps:
            return Row(name, service, "nothing to do", accessor=target.accessor)
        try:
            needed = rights.to_do(target.declared.name, target.steps, has_role=target.seen.has_role)
            require(self.found.held, needed)
            accessor = self._carry_out(target)
        except InfraError as error:
            return bad(name, service, error, target.steps)
        return Row(name, service, "done", target.steps, accessor)

    def _carry_out(self, target: Target) -> str:
        """Give the accessor of the credential that works in the end."""
        approle, declared = self.custody.approle, target.declared
        kinds = {step.kind for step in target.steps}
        if "write-policy" in kinds:
            approle.write_policy(declared.name, declared.policy)
        if "write-role" in kinds:
            approle.write_role(declared.name, declared.settings)
        if "new-credential" in kinds:
            return self._renewal(target).run()
        if "destroy-credential" in kinds:
            destroy_others(self.custody, target.service, target.accessor)
        if "blank-wrapping" in kinds:
            credentials.blank(self.session.places, target.service)
        return target.accessor

    def _renewal(self, target: Target) -> Renewal:
        wish = self.wish
        return Renewal(self.session, self.custody, target.service, target.seen, wish.wrap_ttl, wish.revoke)

    def _record(self, done: list[Row]) -> Iterator[Row]:
        """Write down what was renewed, by accessor; a row tells when that could not be done."""
        renewed = {row.service: row.accessor for row in done if row.result == "done"}
        if not renewed:
            return
        session = self.session
        path = credentials_path(session.project.name, session.environment.store_path)
        record = {"renewed": renewed, "at": iso(session.now()), "actor": session.actor}
        try:
            records.write(session.store, path, record)
        except InfraError as error:
            words = f"the credentials work, and their record was not written: {error.message}"
            yield bad(self.found.environment, ALL, NotCleaned(words, next_step="./inv vault.status"))
