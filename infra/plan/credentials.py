"""What an agent's policy, role and credential lack, and the steps that mend it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from infra.model.clock import iso
from infra.model.credential import Credential, Login

WRAPPED_FOR = 900
HOUR, DAY = 3600, 86_400
SETTINGS: Mapping[str, Any] = {
    "token_no_default_policy": True,
    "token_ttl": 24 * HOUR,
    "token_max_ttl": 168 * HOUR,
    "secret_id_ttl": 768 * HOUR,
    "secret_id_num_uses": 0,
}
_CIDRS = ("secret_id_bound_cidrs", "token_bound_cidrs")
_ONE_ADDRESS = ("/32", "/128")

Kind = Literal[
    "switch-lockout-off",
    "write-policy",
    "write-role",
    "new-credential",
    "destroy-credential",
    "blank-wrapping",
]


@dataclass(frozen=True, slots=True)
class Declared:
    """What a service's agent should have: the name of its policy and role, the text, the settings."""

    name: str
    policy: str
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """What it has. `credentials` are this environment's own, expired ones too; None means unread or absent.

    `has_role` may be known when the role's settings are not read. `login` is the agent's heartbeat,
    `is_wrapped` tells that a wrapping token still stands where it was delivered.
    """

    has_role: bool
    policy: str | None
    role: Mapping[str, Any] | None
    credentials: tuple[Credential, ...]
    login: Login | None
    is_wrapped: bool = False

    @property
    def proven(self) -> Credential | None:
        """The credential that an agent has logged in with; None when no login of one is seen."""
        return next((one for one in self.credentials if self.login and self.login.proves(one)), None)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the plan: what is done, to what, and why."""

    kind: Kind
    subject: str
    reason: str

    def __str__(self) -> str:
        return f"{self.kind.replace('-', ' ')} {self.subject}: {self.reason}"


def role_settings(name: str, bound_cidrs: tuple[str, ...] = ()) -> dict[str, Any]:
    """Give the settings of a role; durations are seconds, and no networks means from anywhere."""
    return {"token_policies": [name], **SETTINGS, **{key: sorted(bound_cidrs) for key in _CIDRS}}


def differences(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the settings of a role that are not as they should be, by name."""
    return tuple(key for key in wanted if _plain(wanted[key]) != _plain(found.get(key)))


def due(seen: Seen, now: datetime) -> str:
    """Give why a new credential is needed; empty when the one that is there will do."""
    live = [one for one in seen.credentials if not one.is_expired(now)]
    if not seen.credentials:
        return "there is none"
    if not live:
        return f"it expired at {iso(max(one.expires for one in seen.credentials if one.expires))}"
    if seen.proven is None or seen.proven not in live:
        return "no agent has shown a login with it"
    return f"{words(seen.proven.left(now))} are left of it" if seen.proven.is_short(now) else ""


def steps(wanted: Declared, seen: Seen, now: datetime, *, is_asked_for: bool = False) -> tuple[Step, ...]:
    """Give what has to be done for one target, in order; empty when nothing has to.

    `is_asked_for` makes a new credential also where the old one would do.
    """
    return tuple(_steps(wanted, seen, now, "asked for" if is_asked_for else ""))


def _steps(wanted: Declared, seen: Seen, now: datetime, asked: str) -> Iterator[Step]:
    if seen.policy != wanted.policy:
        yield Step("write-policy", wanted.name, _why_policy(seen))
    other = differences(wanted.settings, seen.role or {})
    if not seen.has_role or other:
        reason = f"{', '.join(other)} differ" if seen.has_role else "there is none"
        yield Step("write-role", wanted.name, reason)
    reason = due(seen, now) or asked
    kept = None if reason else seen.proven
    if reason:
        yield Step("new-credential", wanted.name, reason)
    for one in seen.credentials:
        if one is not kept:
            yield Step("destroy-credential", one.accessor, _why_gone(one, now))
    if seen.is_wrapped and not reason:
        yield Step("blank-wrapping", wanted.name, "it has done its work")


def words(left: timedelta | None) -> str:
    """Give a length of time in its largest unit: days, hours, minutes or seconds."""
    if left is None:
        return "endless days"
    seconds = int(left.total_seconds())
    units = ((DAY, "days"), (HOUR, "hours"), (60, "minutes"), (1, "seconds"))
    size, name = next(unit for unit in units if abs(seconds) >= unit[0] or unit[0] == 1)
    return f"{seconds // size} {name}"


def _why_policy(seen: Seen) -> str:
    if seen.policy is not None:
        return "its text differs"
    return "there is none" if seen.has_role else "its role is not there yet"


def _why_gone(credential: Credential, now: datetime) -> str:
    return "it has expired" if credential.is_expired(now) else "a proven one takes its place"


def _plain(value: object) -> object:
    """Give a setting as it compares: the server adds /32 to an address, and writes no list as null."""
    if isinstance(value, list | tuple):
        return sorted(_network(str(one)) for one in value)
    return [] if value is None else value


def _network(text: str) -> str:
    return next((text.removesuffix(end) for end in _ONE_ADDRESS if text.endswith(end)), text)
