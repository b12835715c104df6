"""Checks of secrets can fail: each takes what the commands of a rehearsal say, and nothing on trust."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

import finance_report
from infra.accept.checks import vault
from infra.accept.ground import Disproved, Ground, NotHere
from infra.accept.processes import Done
from infra.accept.rehearsal import Rehearsal
from infra.accept.throwaway import Throwaway

KEY = {"service": "app", "key": "DATABASE_URL", "kind": "derived", "version": 2, "on an old value": []}
ROW = {"number": 1, "name": "policy", "subject": "app", "state": "ok", "detail": "as declared"}
STANDS = {"service": "app", "state": "ok", "last login": "2026-11-21T14:00:00Z", "credential": "a-1"}
SERVER = {"version": "1.21.0", "state": "active"}
GOOD: dict[str, Any] = {
    "vault.check": {"rows": [ROW]},
    "vault.keys": {"keys": [{**KEY, "state": "present"}]},
    "vault.status": {"server": SERVER, "credentials": [{**STANDS, "left": "31 days"}]},
}


class Told:
    """A rehearsal whose tasks have ended already; a task that changes something changes nothing."""

    def __init__(self, code: int, facts: dict[str, Any], said: str) -> None:
        self._code, self._facts, self._said = code, facts, said

    def asked(self, task: str) -> Done:
        return Done(task, self._code, json.dumps({"facts": self._facts[task]}), self._said)

    def changed(self, task: str) -> Done:
        return Done(task, self._code, "{}", self._said)


def ground(code: int = 0, said: str = "", **facts: Any) -> Ground:
    told = cast("Rehearsal", Told(code, {**GOOD, **facts}, said))
    trial = cast("Throwaway", None)
    return Ground(Path(), finance_report.PROJECT, trial, "main", Path(), beside_vault=told)


def test_what_the_commands_say_is_the_evidence_and_it_was_seen_beside_a_real_vault() -> None:
    seen = [
        vault.audited(ground(), [1], ["app"]),
        vault.keys_kept(ground(), "app", ["DATABASE_URL"], alone=True),
        vault.credentials_stand(ground(), ["app"]),
    ]
    assert {one.state for one in seen} == {"ok"}
    assert all({"VT", "PG", "RD", "APP"} == one.real for one in seen)
    assert "row 1 policy app ok: as declared" in seen[0].text


BAD: dict[str, tuple[str, dict[str, Any]]] = {
    "fail": ("audited", {"vault.check": {"rows": [{**ROW, "state": "fail"}]}}),
    "without the rows": ("audited", {"vault.check": {"rows": [{**ROW, "subject": "redis"}]}}),
    "is missing": ("keys_kept", {"vault.keys": {"keys": [{**KEY, "state": "missing"}]}}),
    "has []": ("keys_kept", {"vault.keys": {"keys": []}}),
    "alone": (
        "keys_kept",
        {
            "vault.keys": {
                "keys": [{**KEY, "state": "present"}, {**KEY, "key": "ANOTHER", "state": "present"}]
            }
        },
    ),
    "on an old DATABASE_URL": (
        "keys_kept",
        {"vault.keys": {"keys": [{**KEY, "state": "present", "on an old value": ["backend"]}]}},
    ),
    "not listed": ("credentials_stand", {"vault.status": {"server": SERVER, "credentials": []}}),
    "last logged in –": (
        "credentials_stand",
        {"vault.status": {"server": SERVER, "credentials": [{**STANDS, "last login": "–"}]}},
    ),
}
ASKED: dict[str, Any] = {
    "audited": lambda given: vault.audited(given, [1], ["app"]),
    "keys_kept": lambda given: vault.keys_kept(given, "app", ["DATABASE_URL"], alone=True),
    "credentials_stand": lambda given: vault.credentials_stand(given, ["app"]),
}


@pytest.mark.parametrize(("words", "check", "facts"), [(words, *one) for words, one in BAD.items()], ids=BAD)
def test_a_bad_answer_is_told(words: str, check: str, facts: dict[str, Any]) -> None:
    with pytest.raises(Disproved) as told:
        ASKED[check](ground(**facts))
    assert words in str(told.value)


@pytest.mark.parametrize("check", ASKED)
def test_a_command_that_ends_badly_proves_nothing(check: str) -> None:
    with pytest.raises(Disproved, match="exit 1 instead of 0"):
        ASKED[check](ground(code=1))


@pytest.mark.parametrize(("said", "words"), [("", "nothing says"), ("refused by it", "version 2, then 2")])
def test_a_rotation_without_its_proof_or_without_a_new_version_is_told(said: str, words: str) -> None:
    with pytest.raises(Disproved, match=words):
        vault.rotated(ground(said=said), "app", "DATABASE_URL")


def test_without_a_rehearsal_nothing_is_proven() -> None:
    with pytest.raises(NotHere):
        vault.audited(replace(ground(), beside_vault=None), [1])
