"""What runs against what was sent: a target that accepts everything and changes nothing must not pass."""

from __future__ import annotations

from dataclasses import replace

from infra.model.observed import Absent, Found, Observed, Running
from infra.model.service import Health
from infra.model.unit import Bundle, Unit
from infra.plan.facts import mismatches

UNIT = Unit("web", "app", "p", ("x",), "/", (), 1, Health("http"))
BUNDLES = {"app": Bundle("app", (UNIT,), "", ())}
BEFORE = Observed(units={"web": Found(Running("web", "3@1.00", 1010.0, "a" * 64, "deploy-1", "app"))})
GOOD = Running("web", "7@100.00", 1000.0, BUNDLES["app"].digest, "deploy-2", "app")


def found(running: Running | None, strangers: tuple[Running, ...] = ()) -> list[str]:
    units = {"web": Found(running) if running else Absent()}
    observed = Observed(units=units, strangers=strangers)
    return mismatches(observed, BUNDLES, frozenset({"web"}), BEFORE, "deploy-2")


def test_a_unit_that_was_started_by_this_deploy_with_this_bundle_agrees_whatever_the_clock_says() -> None:
    assert found(GOOD) == []
    assert found(replace(GOOD, started=0.0)) == []


def test_a_target_that_accepts_everything_and_changes_nothing_is_caught() -> None:
    old = replace(GOOD, identity="3@1.00", deploy="deploy-1")
    assert [line.partition(":")[2].split(",")[0].strip() for line in found(old)] == [
        "carries deploy deploy-1",
        "accepted but not recreated",
    ]


def test_a_unit_of_another_bundle_and_a_missing_one_are_named() -> None:
    assert "runs bundle bbbb" in found(replace(GOOD, bundle="b" * 64))[0]
    assert found(None) == ["web: does not run"]


def test_what_is_left_of_an_earlier_bundle_is_named() -> None:
    assert found(GOOD, (replace(GOOD, identity="3@1.00", bundle="c" * 64),)) == [
        "web: 3@1.00 is left from bundle cccccccccccc",
    ]
