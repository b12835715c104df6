"""What is due for an agent's credential, decided from what is seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.model.credential import Credential, Login, moment
from infra.plan.credentials import Declared, Seen, differences, due, role_settings, steps, words
from infra.plan.rights import lacking, to_do, to_look
from infra.plan.vault_status import Standing, alarms, hint

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
NAME = "shop-staging-app"
WANTED = Declared(NAME, "the policy", role_settings(NAME))


def credential(
    name: str = "a-1", left: timedelta | None = timedelta(days=30), deploy: str = "d-1"
) -> Credential:
    return Credential(name, NOW - timedelta(days=1), NOW + left if left is not None else None, deploy)


def login(name: str = "a-1", deploy: str = "d-1") -> Login:
    return Login(NOW - timedelta(seconds=5), name, deploy)


def seen(**changes: Any) -> Seen:
    usual: dict[str, Any] = {
        "has_role": True,
        "policy": WANTED.policy,
        "role": WANTED.settings,
        "credentials": (credential(),),
        "login": login(),
    }
    return Seen(**{**usual, **changes})


DUE = {
    "a proven one": (seen(), ""),
    "a proven one that never ends": (seen(credentials=(credential(left=None),)), ""),
    "no credential": (seen(credentials=()), "there is none"),
    "no login": (seen(login=None), "no agent has shown a login with it"),
    "a login with another one": (seen(login=login("a-0")), "no agent has shown a login with it"),
    "a token that was made from another one": (
        seen(login=login(deploy="d-0")),
        "no agent has shown a login with it",
    ),
    "one that was made without a deploy": (
        seen(credentials=(credential(deploy=""),), login=login(deploy="")),
        "no agent has shown a login with it",
    ),
    "exactly seven days": (seen(credentials=(credential(left=timedelta(days=7)),)), ""),
    "a second less": (
        seen(credentials=(credential(left=timedelta(days=7, seconds=-1)),)),
        "6 days are left of it",
    ),
    "expired": (
        seen(credentials=(credential(left=timedelta(0)),)),
        "it expired at 2026-01-31T12:00:00Z",
    ),
    "a proven one that expired beside a live one": (
        seen(credentials=(credential(left=-timedelta(days=1)), credential("a-2"))),
        "no agent has shown a login with it",
    ),
}


@pytest.mark.parametrize(("found", "reason"), DUE.values(), ids=DUE)
def test_a_new_credential_is_due_for(found: Seen, reason: str) -> None:
    assert due(found, NOW) == reason


STEPS = {
    "nothing": (seen(), False, []),
    "a first set-up": (
        seen(has_role=False, policy=None, role=None, credentials=(), login=None),
        False,
        ["write-policy", "write-role", "new-credential"],
    ),
    "another text": (seen(policy="other"), False, ["write-policy"]),
    "another setting": (seen(role={**WANTED.settings, "token_ttl": 1}), False, ["write-role"]),
    "one that is left over": (
        seen(credentials=(credential(), credential("a-0"))),
        False,
        ["destroy-credential"],
    ),
    "asked for": (seen(), True, ["new-credential", "destroy-credential"]),
    "a wrapping that is left": (seen(is_wrapped=True), False, ["blank-wrapping"]),
    "a wrapping, and a new one": (
        seen(is_wrapped=True, login=None),
        False,
        ["new-credential", "destroy-credential"],
    ),
}


@pytest.mark.parametrize(("found", "is_asked_for", "kinds"), STEPS.values(), ids=STEPS)
def test_the_steps_of_a_target_mend(found: Seen, is_asked_for: bool, kinds: list[str]) -> None:
    planned = steps(WANTED, found, NOW, is_asked_for=is_asked_for)
    assert [step.kind for step in planned] == kinds
    assert all(step.reason for step in planned)


def test_what_the_server_writes_in_another_way_is_no_difference() -> None:
    wanted = role_settings(NAME, ("10.0.0.7/32", "10.1.0.0/16"))
    read = {
        **wanted,
        "token_bound_cidrs": ["10.1.0.0/16", "10.0.0.7"],
        "secret_id_bound_cidrs": ["10.1.0.0/16", "10.0.0.7/32"],
        "token_type": "default",
    }
    assert differences(wanted, read) == ()
    assert differences(role_settings(NAME), {**role_settings(NAME), "secret_id_bound_cidrs": None}) == ()
    assert differences(wanted, role_settings(NAME)) == ("secret_id_bound_cidrs", "token_bound_cidrs")
    assert differences(wanted, {**read, "token_policies": [NAME, "root"]}) == ("token_policies",)


def test_who_may_not_write_is_told_path_and_capability() -> None:
    held = dict.fromkeys((path for path, _ in to_look(NAME)), frozenset({"read", "list", "update"}))
    planned = steps(WANTED, seen(has_role=False, policy=None, role=None, credentials=()), NOW)
    needed = to_do(NAME, planned, has_role=False)
    assert lacking(held, to_look(NAME)) == ()
    assert lacking(held, needed)[0] == (f"auth/approle/role/{NAME}", "create")
    assert lacking({path: frozenset({"root"}) for path, _ in needed}, needed) == ()


def test_a_length_of_time_is_told_in_its_largest_unit() -> None:
    lengths = [
        timedelta(days=31),
        timedelta(hours=30),
        timedelta(minutes=90),
        timedelta(seconds=59),
        timedelta(0),
    ]
    assert [words(one) for one in lengths] == ["31 days", "1 days", "1 hours", "59 seconds", "0 seconds"]


def test_a_moment_of_vault_is_read_and_its_zero_is_none() -> None:
    assert moment("2026-01-31T12:00:00.123456789Z") == datetime(2026, 1, 31, 12, 0, 0, 123456, UTC)
    assert moment("2026-01-31T13:00:00+01:00") == NOW
    assert moment("0001-01-01T00:00:00Z") is None
    assert moment("soon") is None


def standing(*credentials: Credential, beat: Login | None = None, age: int = 1) -> Standing:
    return Standing("app", credentials, beat, (("SECRET_KEY", NOW - timedelta(days=age)),))


ALARMS = {
    "all is well": (standing(credential()), ()),
    "no credential": (standing(), ("it has no credential",)),
    "six days": (standing(credential(left=timedelta(days=6.5))), ("its credential ends in 6 days",)),
    "the last seconds": (
        standing(credential(left=timedelta(seconds=3))),
        ("its credential ends in 3 seconds",),
    ),
    "expired": (standing(credential(left=timedelta(0))), ("its credential has expired",)),
    "a key of 89 days": (standing(credential(), age=89), ()),
    "a key of 90 days": (standing(credential(), age=90), ("SECRET_KEY is 90 days old: rotation is due",)),
    "the proven one counts": (
        standing(credential(left=timedelta(days=1)), credential("a-2"), beat=login("a-1")),
        ("its credential ends in 1 days",),
    ),
}


@pytest.mark.parametrize(("found", "expected"), ALARMS.values(), ids=ALARMS)
def test_an_alarm_is_raised_for(found: Standing, expected: tuple[str, ...]) -> None:
    assert alarms(found, NOW) == expected


def test_an_agent_that_is_silent_for_an_hour_is_a_hint_and_no_alarm() -> None:
    quiet = Login(NOW - timedelta(hours=1, seconds=1), "a-1", "d-1")
    assert "may have stopped" in hint(standing(credential(), beat=quiet), NOW)
    assert hint(standing(credential(), beat=login()), NOW) == ""
    assert hint(standing(credential()), NOW) == "no login is seen"
    assert alarms(standing(credential(), beat=quiet), NOW) == ()
