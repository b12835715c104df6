"""Which test databases are dropped, and why every other one stays."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from infra.model.clock import iso
from infra.model.database_mark import Mark
from infra.model.naming import Names
from infra.plan.orphans import Row, Rules, decide, making_name, origin_of, template_name

NAMES = Names("finance_report")
NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
DAY = 86_400
TEST = "finance_report_test_"


def row(name: str, seconds: float = 3600, clients: int = 0, *, marked: bool = True) -> Row:
    made = NOW - timedelta(seconds=seconds)
    comment = str(Mark("test", "x", iso(made))) if marked else None
    return Row(name, comment, clients, NOW if marked else made)


def word(one: Row, *living: str | None, everything: bool = False, force: bool = False) -> str:
    rules = Rules(frozenset(living), 600, NOW, everything=everything, force=force)
    found = decide(NAMES, [one], rules)
    return found[0].word if found else "not ours"


DEFAULT = {
    "an orphan": (row(f"{TEST}a"), "drop"),
    "a worker's orphan": (row(f"{TEST}a_gw3"), "drop"),
    "one that a living run owns": (row(f"{TEST}pr_4"), "live"),
    "a living run's worker": (row(f"{TEST}pr_4_gw0"), "live"),
    "one whose name begins like a living one": (row(f"{TEST}pr_47"), "drop"),
    "one whose name is longer by a word": (row(f"{TEST}pr_4_7"), "drop"),
    "one that is younger than the grace": (row(f"{TEST}a", 599), "young"),
    "one as old as the grace": (row(f"{TEST}a", 600), "drop"),
    "one from the future, after a clock went back": (row(f"{TEST}a", -5000), "doubt"),
    "one from the future by its files": (row(f"{TEST}a", -5000, marked=False), "doubt"),
    "one that is as far ahead as clocks may be apart": (row(f"{TEST}a", -60), "young"),
    "one with a client": (row(f"{TEST}a", clients=1), "connected"),
    "one without a mark, by the age of its files": (row(f"{TEST}a", marked=False), "drop"),
    "a young one without a mark": (row(f"{TEST}a", 5, marked=False), "young"),
    "the bare one": (row("finance_report_test"), "bare"),
    "the bare one's worker": (row("finance_report_test_gw0"), "bare"),
    "one that was left half made": (row("finance_report_making_0123456789ab", marked=False), "drop"),
    "the development database": (row("finance_report"), "not ours"),
    "another checkout's development": (row("finance_report_dev_a"), "not ours"),
    "one that only looks alike to LIKE": (row("financeXreportXtestXa"), "not ours"),
    "one with a name that no namespace gives": (row(f"{TEST}a__b"), "not ours"),
    "one in other letters": (row(f"{TEST}A"), "not ours"),
    "one with a worker that cannot be": (row(f"{TEST}a_gw100"), "not ours"),
    "one with a worker in front": (row(f"{TEST}a_gw07"), "not ours"),
    "one that only contains test": (row("my_finance_report_test_a"), "not ours"),
    "one that is too long": (row(TEST + "x" * 40), "not ours"),
    "a template with another digest's form": (row("finance_report_template_zz"), "not ours"),
}


@pytest.mark.parametrize(("one", "expected"), DEFAULT.values(), ids=DEFAULT)
def test_only_an_orphan_goes(one: Row, expected: str) -> None:
    assert word(one, "pr_4") == expected


@pytest.mark.parametrize(
    ("one", "force", "expected"),
    [
        (row(f"{TEST}a", 1), False, "drop"),
        (row(f"{TEST}a", clients=1), False, "drop"),
        (row("finance_report_test"), False, "drop"),
        (row(f"{TEST}pr_4"), False, "live"),
        (row(f"{TEST}pr_4"), True, "drop"),
        (row("finance_report"), True, "not ours"),
        (row("finance_report_dev_a"), True, "not ours"),
    ],
)
def test_all_means_every_test_database_and_force_the_living_ones(
    one: Row, expected: str, *, force: bool
) -> None:
    assert word(one, "pr_4", everything=True, force=force) == expected


def test_the_newest_templates_and_those_of_today_stay() -> None:
    ages = [1, 2, 3, 4, DAY * 2, DAY * 3, DAY * 4]
    rows = [row(template_name(NAMES, f"{age:012x}"), age) for age in ages]
    old = [row(template_name(NAMES, f"{age:012x}"), age * DAY) for age in range(2, 8)]
    rules = Rules(frozenset(), 0, NOW)
    assert [one.word for one in decide(NAMES, rows, rules)] == ["kept"] * 4 + ["drop"] * 3
    assert [one.word for one in decide(NAMES, old, rules)] == ["kept"] * 3 + ["drop"] * 3


def test_a_template_from_the_future_stays_and_takes_the_place_of_none_that_is_old() -> None:
    rows = [row(template_name(NAMES, f"{age:012x}"), -DAY * age) for age in range(1, 5)]
    decisions = decide(NAMES, rows, Rules(frozenset(), 0, NOW))
    assert [(one.word, one.age) for one in decisions] == [("kept", None)] * 4


def test_templates_go_with_all_unless_a_living_run_may_be_copying_one() -> None:
    one = row(template_name(NAMES, "0" * 12), 5)
    assert word(one, everything=True) == "drop"
    assert word(one, "pr_4", everything=True) == "kept"


def test_templates_and_half_made_databases_have_names_that_no_namespace_gives() -> None:
    for name in (template_name(NAMES, "a" * 64), making_name(NAMES, "b" * 64)):
        origin = origin_of(NAMES, name)
        assert origin is not None
        assert origin.kind != "test"
        assert not name.startswith(TEST)


@pytest.mark.parametrize("namespace", ["a", "pr_4", "feature_auth_alice", "x" * 38, "template_0123456789ab"])
@pytest.mark.parametrize("worker", [None, "gw0", "gw99"])
def test_a_name_leads_back_to_its_namespace(namespace: str, worker: str | None) -> None:
    origin = origin_of(NAMES, NAMES.get_worker_db_name(namespace, worker))
    assert origin is not None
    assert (origin.kind, origin.namespace) == ("test", namespace)


def test_500_databases_are_decided_within_a_second() -> None:
    rows = [row(f"{TEST}feature_{number}_gw{number % 100}", number * 10) for number in range(500)]
    began = time.monotonic()
    assert len(decide(NAMES, rows, Rules(frozenset({"feature_7"}), 600, NOW))) == 500
    assert time.monotonic() - began < 0.5
