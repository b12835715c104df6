"""The self-test proves that smoke can fail, and itself fails when smoke cannot."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from infra.model.answer import Category
from infra.model.smoke import Expect, Profile
from infra.model.smoke_report import Result
from infra.plan import expectations
from infra.verify import smoke, smoke_selftest, smoke_twins
from infra.verify.http import ask
from infra.verify.smoke_profiles import load_profile
from infra.verify.smoke_selftest import self_test


@pytest.fixture(scope="module")
def profile() -> Profile:
    return load_profile("finance_report", Path(__file__).parents[2])


def _only(profile: Profile, *ids: str) -> Profile:
    return profile.model_copy(update={"rows": tuple(row for row in profile.rows if row.id in ids)})


def test_each_row_passes_on_a_whole_stack_and_fails_on_its_broken_twins(profile: Profile) -> None:
    told: list[Result] = []
    started = time.monotonic()
    report = self_test(profile, on_result=told.append)
    assert time.monotonic() - started < 15
    assert (report.faults, report.exit_code) == ((), 0)
    assert tuple(told) == report.proofs
    for row in profile.rows:
        mine = [one.expected for one in report.proofs if one.id == row.id]
        assert mine[0] == "passes on a whole stack"
        assert any(promise.startswith("fails on") for promise in mine[1:])


def test_the_promises_that_no_row_makes_are_proven_too(profile: Profile) -> None:
    promises = {one.expected for one in self_test(_only(profile, "2")).proofs}
    assert promises >= {
        "an empty profile fails",
        "a run without checks fails",
        "unhealthy fails",
        "a refused connection is `connect`",
        "a hanging server ends in time",
        "a dripping server ends in time",
    }


def test_every_kind_of_expectation_has_a_broken_twin() -> None:
    assert set(smoke_twins.BREAKS) == set(Expect.model_fields)


def test_a_row_without_a_broken_twin_fails_the_self_test(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(smoke_twins.BREAKS, "dependencies")
    report = self_test(_only(profile, "7"))
    assert report.exit_code == 1
    assert "none for 'dependencies'" in report.faults[0]


@pytest.mark.parametrize("kind", sorted(expectations._CHECKS))
def test_a_smoke_test_that_forgets_a_kind_of_expectation_fails_the_self_test(
    profile: Profile, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.delitem(expectations._CHECKS, kind)
    rows = [row.id for row in profile.rows if kind in row.expect.kinds]
    report = self_test(_only(profile, rows[0]))
    assert report.exit_code == 1
    assert any("not noticed" in fault for fault in report.faults)


FORGETFUL: dict[str, tuple[str, Any]] = {
    "the document that a page names": ("_document_fault", lambda *_: ""),
    "whether a state changed": ("toggle_fault", lambda *_: ""),
}


@pytest.mark.parametrize(("name", "instead"), FORGETFUL.values(), ids=FORGETFUL)
def test_a_smoke_test_that_does_not_look_at_something_fails_the_self_test(
    profile: Profile, monkeypatch: pytest.MonkeyPatch, name: str, instead: Any
) -> None:
    monkeypatch.setattr(smoke, name, instead)
    assert self_test(_only(profile, "3", "12")).exit_code == 1


def test_a_health_check_that_takes_unhealthy_for_healthy_fails_the_self_test(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expectations, "classify", lambda *_, **__: Category.OK)
    faults = " ".join(self_test(_only(profile, "2")).faults)
    assert "unhealthy with a 200" in faults
    assert "another commit" in faults
    assert "unhealthy fails" in faults


def test_a_client_that_waits_too_long_fails_the_self_test(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smoke_selftest, "_GRACE", 0.1)
    monkeypatch.setattr(smoke_selftest, "ask", lambda url, **_: ask(url, timeout=0.5))
    faults = " ".join(self_test(_only(profile, "1", "2")).faults)
    assert "a hanging server ends in time" in faults
    assert "a dripping server ends in time" in faults


def test_the_report_is_for_programs_and_people(profile: Profile) -> None:
    report = self_test(_only(profile, "9"))
    facts = json.loads(json.dumps(report.as_facts()))
    assert len(facts["proofs"]) == len(report.table) == len(report.proofs)
