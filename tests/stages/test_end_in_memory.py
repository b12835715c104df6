"""A deploy has one end, however it ends: it is good, or it goes back and is recorded."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from infra import deploy, remove
from infra.model.errors import CannotTell, DeployFailed, InfraError, LeaseHeld, StoreError
from infra.model.interruption import Interrupted, LeftAtOnce
from infra.model.verdict import Verdict
from infra.session import Request
from infra.stages.ports import PORT_LOST
from infra.store.deploys import Records
from tests.stages.scripted import UNIT, Happening, World, bundle, world

INT = 2
KILLED = "20260101T000000000-dead"
FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/state/units.json")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world in which release a runs and is good."""
    made = world(tmp_path, monkeypatch)
    made.setup("a")
    return made


def once(release: str, error: Exception) -> Happening:
    """Give what raises this in the first step of a release, and lets every later one pass."""
    waiting = [error]

    def happens(about: str) -> None:
        if about == release and waiting:
            raise waiting.pop()

    return happens


def test_a_good_release_is_recorded_and_a_bad_one_goes_back(shop: World) -> None:
    shop.bad = frozenset("b")
    outcome = shop.setup("b")
    assert (outcome.outcome, outcome.exit_code, shop.release) == ("failed_rolled_back", 1, "a")
    assert shop.verdicts == ["a ok", "b failed", "a ok"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FULL, "/state/units.json: the disk is full"),
        (CannotTell("the supervisor refused 'start'", next_step="look"), "the supervisor refused 'start'"),
        (ZeroDivisionError("unforeseen"), "a fault of this tool: ZeroDivisionError: unforeseen"),
    ],
)
def test_an_operation_that_fails_goes_back_and_is_recorded_as_a_bad_verdict_is(
    shop: World, error: Exception, words: str
) -> None:
    shop.target.happens = once("b", error)
    outcome = shop.setup("b")
    assert (outcome.outcome, outcome.exit_code, shop.release) == ("failed_rolled_back", 1, "a")
    assert outcome.errors[0]["message"] == words
    assert "not done: restart unit web: another one runs" in outcome.errors[0]["evidence"]
    assert shop.verdicts[1] == "b failed"


def test_where_the_target_cannot_be_read_nothing_more_is_changed(shop: World) -> None:
    def breaks(_release: str) -> None:
        shop.target.is_readable = False
        raise FULL

    shop.target.happens = breaks
    outcome = shop.setup("b")
    assert (outcome.outcome, outcome.exit_code) == ("failed_not_rolled_back", 1)
    assert outcome.errors[-1]["evidence"] == ["unit web: nobody answers"]
    assert shop.verdicts == ["a ok", "b failed"]


def test_a_lost_lease_ends_the_deploy_where_it_is(shop: World) -> None:
    shop.target.happens = once("b", LeaseHeld("the lease was lost"))
    with pytest.raises(LeaseHeld):
        shop.setup("b")
    assert shop.verdicts == ["a ok"]


@pytest.mark.parametrize("place", ["apply", "gate"])
def test_the_first_signal_goes_back_and_is_recorded(shop: World, place: str) -> None:
    session = shop.session()

    def press(release: str) -> None:
        if release == "b":
            session.interruption.arrive(INT, 1.0)

    if place == "apply":
        shop.target.happens = press
    else:
        shop.in_gate = press
    with pytest.raises(Interrupted) as ended:
        shop.setup("b", session)
    assert (ended.value.exit_code, session.outcome.outcome, shop.release) == (130, "interrupted", "a")
    assert session.outcome.facts["rolled_back"] is True
    assert session.outcome.errors[0]["message"] == "interrupted by SIGINT"
    assert shop.target.ran == (["a"] if place == "apply" else ["a", "b", "a"])
    assert shop.verdicts == ["a ok", "b interrupted", "a ok"]


def test_a_failure_after_a_signal_is_the_signals(shop: World) -> None:
    session = shop.session()

    def press(release: str) -> None:
        if release == "b":
            session.interruption.arrive(INT, 1.0)
            raise CannotTell("initdb ended with signal SIGINT")

    shop.target.happens = press
    with pytest.raises(Interrupted):
        shop.setup("b", session)
    assert shop.verdicts == ["a ok", "b interrupted", "a ok"]


def test_a_first_release_that_is_interrupted_is_left_and_marked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = world(tmp_path, monkeypatch)
    session = shop.session()
    shop.in_gate = lambda _release: session.interruption.arrive(INT, 1.0)
    with pytest.raises(Interrupted):
        shop.setup("b", session)
    assert (shop.release, shop.verdicts) == ("b", ["b interrupted"])
    assert session.outcome.facts["rolled_back"] is False


def test_a_signal_while_it_goes_back_changes_its_code_alone(shop: World) -> None:
    session = shop.session()
    shop.bad = frozenset("b")
    shop.in_gate = lambda release: session.interruption.arrive(INT, 1.0) if release == "a" else None
    with pytest.raises(Interrupted):
        shop.setup("b", session)
    assert (shop.release, shop.verdicts) == ("a", ["a ok", "b failed", "a ok"])


def test_a_second_signal_leaves_at_once_and_says_what_runs(shop: World) -> None:
    session = shop.session()

    def press(_release: str) -> None:
        session.interruption.arrive(INT, 1.0 + len(session.interruption.arrived))
        session.interruption.arrive(INT, 9.0)

    shop.target.happens = press
    with pytest.raises(LeftAtOnce):
        shop.setup("b", session)
    assert session.outcome.facts["running"] == [UNIT]
    assert shop.verdicts == ["a ok"]


def test_a_rollback_that_is_interrupted_ends_its_operation_and_says_what_is_left(shop: World) -> None:
    shop.setup("b")
    session = shop.session()
    session.target.happens = lambda _release: session.interruption.arrive(INT, 1.0)
    with pytest.raises(Interrupted):
        deploy.rollback(session, Request((UNIT,)), "")
    assert (shop.release, shop.verdicts[-1]) == ("b", "a interrupted")
    assert session.outcome.errors[0]["message"] == "interrupted by SIGINT"
    assert session.outcome.errors[0]["evidence"] == ["not done: restart unit web: another one runs"]


def test_a_rollback_goes_back_from_what_runs_and_not_from_what_was_written_last(shop: World) -> None:
    shop.setup("b")
    shop.target.run(bundle("c").digest, KILLED)
    deploy.rollback(shop.session(), Request((UNIT,)), "")
    assert shop.release == "b"


def test_what_a_killed_deploy_left_is_told_and_recorded_by_the_next_that_changes(
    shop: World, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.target.run(bundle("c").digest, KILLED)
    deploy.show(shop.session(), Request((UNIT,)))
    assert f"left behind: web runs deploy {KILLED}" in capsys.readouterr().err
    assert shop.verdicts == ["a ok"]
    shop.setup("b")
    assert "it is recorded now" in capsys.readouterr().err
    assert sorted(shop.verdicts) == sorted([" interrupted", "a ok", "b ok"])


def test_what_somebody_else_is_deploying_is_theirs_to_tell(
    shop: World, capsys: pytest.CaptureFixture[str]
) -> None:
    def look_beside(release: str) -> None:
        if release == "b":
            deploy.show(shop.session(), Request((UNIT,)))

    shop.in_gate = look_beside
    shop.setup("b")
    assert "left behind" not in capsys.readouterr().err


def test_a_record_that_cannot_be_written_is_said_and_written_by_the_next_that_changes(
    shop: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(_self: Records, _record: object) -> None:
        raise StoreError("the disk is full", next_step="df -h")

    with monkeypatch.context() as patch:
        patch.setattr(Records, "append", full)
        outcome = shop.setup("b")
    assert (outcome.outcome, outcome.exit_code, shop.release) == ("deployed", 4, "b")
    assert "was not written: the next command that changes something writes it" in capsys.readouterr().err
    assert shop.verdicts == ["a ok"]
    deploy.show(shop.session(), Request((UNIT,)))
    assert "(web: ok) waits to be written" in capsys.readouterr().err
    deploy.rollback(shop.session(), Request((UNIT,)), "")
    assert (shop.release, shop.verdicts) == ("a", ["a ok", "b ok", "a ok"])
    deploy.show(shop.session(), Request((UNIT,)))
    assert "left behind" not in capsys.readouterr().err


def test_a_failing_way_back_is_told_beside_the_first_error(shop: World) -> None:
    def breaks(release: str) -> None:
        shop.target.runs = None
        raise InfraError(f"cannot start {release}")

    shop.target.happens = breaks
    outcome = shop.setup("b")
    assert (outcome.outcome, outcome.exit_code) == ("failed_not_rolled_back", 1)
    assert [one["message"] for one in outcome.errors] == ["cannot start b", "cannot start a"]


def test_a_look_for_strangers_that_fails_leaves_the_verdict_as_it_was(
    shop: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> Verdict:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(deploy, "in_view_of_strangers", breaks)
    shop.bad = frozenset("b")
    outcome = shop.setup("b")
    assert (outcome.outcome, shop.release) == ("failed_rolled_back", "a")
    assert outcome.errors[0]["message"] == "b is unhealthy"


def lost(_session: object, _request: object, _picture: object, verdict: Verdict) -> Verdict:
    """Call every bad verdict a port that a stranger took."""
    return verdict if verdict.ok else replace(verdict, category=PORT_LOST)


def test_room_that_cannot_be_made_goes_back_as_any_failure_does(
    shop: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise FULL

    monkeypatch.setattr(deploy, "in_view_of_strangers", lost)
    monkeypatch.setattr(deploy, "make_room", breaks)
    shop.bad = frozenset("b")
    outcome = shop.setup("b")
    assert (outcome.outcome, shop.release) == ("failed_rolled_back", "a")
    assert shop.verdicts == ["a ok", "b failed", "a ok"]


def test_a_lease_that_is_lost_while_room_is_made_ends_the_deploy_where_it_is(
    shop: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise LeaseHeld("the lease was lost")

    monkeypatch.setattr(deploy, "in_view_of_strangers", lost)
    monkeypatch.setattr(deploy, "make_room", breaks)
    shop.bad = frozenset("b")
    with pytest.raises(LeaseHeld):
        shop.setup("b")
    assert shop.target.ran == ["a", "b"]


def test_nothing_to_do_that_is_not_healthy_is_bad(shop: World) -> None:
    shop.bad = frozenset("a")
    with pytest.raises(DeployFailed):
        shop.setup("a")


def test_a_down_that_is_interrupted_ends_its_unit_and_says_what_is_left(
    shop: World, capsys: pytest.CaptureFixture[str]
) -> None:
    session = shop.session()
    alive = ["web", "cache", "base"]

    def end_all(units: Iterable[str]) -> list[int]:
        for name in units:
            alive.remove(name)
            session.interruption.arrive(INT, 1.0)
        return []

    session.services = (SimpleNamespace(name="all"),)
    session.unit_names = lambda _service: ("base", "cache", "web")
    session.target = SimpleNamespace(
        is_quiet=lambda: False, living=lambda: list(alive), running=list, end_all=end_all
    )
    with pytest.raises(Interrupted):
        remove.down(session, Request((UNIT,)))
    assert session.outcome.facts["left"] == ["cache", "base"]
    assert "interrupted; left: cache, base\n→ ./inv shop.down" in capsys.readouterr().err
