"""A new credential for one service: made wrapped, delivered, proven by a login; then the old ones end.

Whatever fails on the way leaves one credential that works: before the proof the old one, after it the new.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from infra import deploy
from infra.model.clock import deploy_id, iso
from infra.model.errors import DeployFailed, InfraError, KnownBad, NotCleaned
from infra.model.interruption import LeftAtOnce
from infra.model.verdict import Outcome
from infra.session import Request
from infra.targets.process import credentials
from infra.targets.process.held import Held, held, put_back

if TYPE_CHECKING:
    from infra.model.secret import Secret
    from infra.plan.credentials import Seen
    from infra.session import Session
    from infra.store.vault.approle import Wrapped
    from infra.vault.custody import Custody

PROVEN_WITHIN = 15.0
_PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class Renewal:
    """One target's new credential; `seen` is how it was before, `seconds` the life of the wrapping."""

    session: Session
    custody: Custody
    service: str
    seen: Seen
    seconds: int
    revoke: bool = False

    def run(self) -> str:
        """Carry it out and give the accessor of the credential that works now.

        DeployFailed when it was not taken, not deployed or not proven: then the old one works as before.
        NotCleaned names what is left of the old ones after the new one was proven.
        """
        deploy_as = deploy_id(self.session.now(), secrets.token_hex(2))
        role_id = self.custody.approle.role_id(self._role)
        wrapped = self.custody.approle.wrapped_secret_id(
            self._role, self.custody.marks(deploy_as), self.seconds
        )
        self.session.keys.redactor.learn(wrapped.token)
        with self._undone_on_failure(wrapped):
            self._deliver(role_id, wrapped.token)
            self._redeploy(deploy_as)
            self._prove(deploy_as, wrapped)
        self._clean(wrapped.accessor)
        return wrapped.accessor

    @property
    def _role(self) -> str:
        return self.custody.role(self.service)

    def _deliver(self, role_id: str, token: Secret) -> None:
        server = self.custody.client
        where = {"address": server.address, "root": server.root}
        credentials.deliver(self.session.places, self.service, role_id=role_id, wrapped=token, **where)

    def _redeploy(self, deploy_as: str) -> None:
        """Restart the service through the engine; the way back is ours: it begins with the credential."""
        _deployed(self.session, Request((self.service,), force=True, no_rollback=True, deploy=deploy_as))

    def _prove(self, deploy_as: str, wrapped: Wrapped) -> None:
        """Wait until an agent's token says that it was made from the new credential."""
        if not _comes_true(lambda: self._shows(deploy_as), PROVEN_WITHIN):
            raise DeployFailed(
                f"the agent of {self.service} shows no login with its new credential",
                evidence=(_what_became_of(self.custody, wrapped),),
                next_step=self.session.say(f"{self.service}.logs"),
            )

    def _shows(self, deploy_as: str) -> bool:
        login = self.custody.login(self.service)
        is_new = login is not None and login.deploy == deploy_as
        return is_new and self.custody.is_rendered(self.service)

    @contextmanager
    def _undone_on_failure(self, wrapped: Wrapped) -> Iterator[None]:
        before = held(self.session.places, self.service)
        try:
            yield
        except LeftAtOnce:
            raise
        except BaseException as error:
            with (
                self.session.interruption.deferred(),
                _told_of(error, f"accessor {wrapped.accessor} may be left"),
            ):
                self._undo(wrapped, before, error)
            raise

    def _undo(self, wrapped: Wrapped, before: Held, error: BaseException) -> None:
        """Put the old credential back and end the new one, unless the new one is all that works."""
        places = self.session.places
        credentials.blank(places, self.service)
        is_taken = held(places, self.service).accessor == wrapped.accessor
        if is_taken and not self._works(before.accessor):
            return  # nothing else works
        if is_taken:
            put_back(places, self.service, before)
        self.custody.approle.destroy(self._role, wrapped.accessor)
        if isinstance(error, KnownBad):
            _deployed(self.session, Request((self.service,), force=is_taken))

    def _works(self, accessor: str) -> bool:
        now = self.custody.now()
        return any(one.accessor == accessor and not one.is_expired(now) for one in self.seen.credentials)

    def _clean(self, kept: str) -> None:
        try:
            left = _others_destroyed(self.custody, self._role, kept)
            if self.revoke and self.seen.login and self.seen.login.token_accessor:
                self.custody.tokens.revoke(self.seen.login.token_accessor)
            credentials.blank(self.session.places, self.service)
        except InfraError as error:
            raise _not_cleaned(self.custody, self.service, (error.message, *error.evidence)) from error
        if left:
            raise _not_cleaned(
                self.custody, self.service, tuple(f"accessor {one} is still there" for one in left)
            )


def destroy_others(custody: Custody, service: str, kept: str) -> None:
    """End every credential of a service but the one that is kept; NotCleaned names those that are left."""
    left = _others_destroyed(custody, custody.role(service), kept)
    if left:
        raise _not_cleaned(custody, service, tuple(f"accessor {one} is still there" for one in left))


def _others_destroyed(custody: Custody, role: str, kept: str) -> tuple[str, ...]:
    """Give the accessors that are left although they should be gone."""
    others = [one for one in custody.approle.accessors(role) or () if one != kept]
    gone = [one for one in others if _ended(custody, role, one)]
    return tuple(one for one in (custody.approle.accessors(role) or ()) if one in gone) if gone else ()


def _ended(custody: Custody, role: str, accessor: str) -> bool:
    """End one credential where it is ours."""
    found = custody.approle.look_up(role, accessor)
    return found is not None and custody.owns(found) and custody.approle.destroy(role, accessor)


def _deployed(session: Session, request: Request) -> None:
    """Run the engine on one service; what it finds bad is raised, and is told by the caller."""
    own = replace(session, outcome=Outcome(session.outcome.command, session.environment.name))
    deploy.setup(own, request)
    if own.outcome.errors:
        first = own.outcome.errors[0]
        raise DeployFailed(first["message"], evidence=tuple(first["evidence"]), next_step=first["next"])


@contextmanager
def _told_of(error: BaseException, what: str) -> Iterator[None]:
    """Add what could not be undone to the evidence of the error that it was undone for."""
    try:
        yield
    except InfraError as another:
        if isinstance(error, InfraError):
            error.evidence = (*error.evidence, f"{what}: {another.message}")


def _comes_true(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE)
    return True


def _what_became_of(custody: Custody, wrapped: Wrapped) -> str:
    """Say what a wrapping token that nobody proved came to; only the clock tells an expired one."""
    if custody.tokens.wrapping(wrapped.token) is not None:
        return "nobody has unwrapped it"
    ends = wrapped.created + timedelta(seconds=wrapped.seconds)
    if custody.now() >= ends:
        return f"its wrapping expired at {iso(ends)}"
    return "it was unwrapped, and not by an agent that logged in: possibly intercepted"


def _not_cleaned(custody: Custody, service: str, left: tuple[str, ...]) -> NotCleaned:
    words = f"{service} has its new credential, and the old one is not wholly gone"
    again = f"./inv vault.setup-tokens --env {custody.environment.name} --target process"
    return NotCleaned(words, evidence=left, next_step=again)
