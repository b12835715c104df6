"""Leases, in each kind of store: one deploy at a time, taken over from the dead and never from the living."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.model.errors import CasLost, LeaseHeld, StoreError, Unreachable
from infra.model.lease import LIFETIME, Lease, lease_from_json
from infra.store import leases, owner, records
from infra.store.interface import Store
from infra.store.leases import Taken
from tests.waiting import until

ROOT = Path(__file__).parents[2]
PATH = "finance_report/local/_state/lease"
NOON = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
DEADLINE = 10.0


class Clock:
    """A time of day and a monotonic clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOON
        self.seconds = 1000.0

    def __call__(self) -> datetime:
        """Give the moment that was set."""
        return self.now

    def ticks(self) -> float:
        """Give the seconds since the boot."""
        return self.seconds

    def pass_by(self, **time: float) -> None:
        """Let time pass."""
        self.jump(**time)
        self.seconds += timedelta(**time).total_seconds()

    def jump(self, **time: float) -> None:
        """Set the time of day alone, as people and time servers do."""
        self.now += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def claim(run_id: str, holder: str = "alice") -> Lease:
    return owner.this_process(holder, run_id, "setup app")


@pytest.fixture
def stranger() -> Iterator[tuple[subprocess.Popen[str], Lease]]:
    """Another process that lives, and the claim that it makes."""
    script = (
        "import json, sys; from infra.store.owner import this_process;"
        "print(json.dumps(this_process('bob', 'theirs', 'setup').as_json()), flush=True); sys.stdin.read()"
    )
    argv = [sys.executable, "-c", script]
    with subprocess.Popen(
        argv, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        yield process, lease_from_json(json.loads(process.stdout.readline()))
        process.kill()


def test_a_lease_is_15_minutes_from_the_clock_that_was_given(store: Store, clock: Clock) -> None:
    taken = leases.acquire(store, PATH, claim("mine"), clock)
    assert (taken.lease.acquired, taken.lease.expires) == (NOON, NOON + timedelta(minutes=15))
    clock.pass_by(minutes=5)
    renewed = leases.renew(store, PATH, taken, clock)
    assert (renewed.lease.acquired, renewed.lease.expires) == (NOON, NOON + timedelta(minutes=20))
    assert leases.standing(store, PATH) == renewed.lease


def test_whoever_comes_second_is_told_who_where_and_since_when(store: Store, clock: Clock) -> None:
    first = leases.acquire(store, PATH, claim("first", "alice"), clock).lease
    with pytest.raises(LeaseHeld) as held:
        leases.acquire(store, PATH, claim("second", "bob"), clock)
    for word in ("local", "alice", first.host, str(first.pid), "2026-01-02T12:00:00Z", "setup app"):
        assert word in str(held.value)
    assert held.value.next_step == "./inv lock.status --env local"
    rehearsal = "--env staging --target process"
    with pytest.raises(LeaseHeld) as held:
        leases.acquire(store, PATH, claim("second", "bob"), clock, choice=rehearsal)
    assert held.value.next_step == f"./inv lock.status {rehearsal}"


def test_a_preview_is_named_as_the_command_line_takes_it(store: Store, clock: Clock) -> None:
    path = "finance_report/preview/pr_47/_state/lease"
    leases.acquire(store, path, claim("first"), clock)
    with pytest.raises(LeaseHeld) as held:
        leases.acquire(store, path, claim("second"), clock)
    assert held.value.next_step == "./inv lock.status --env pr_47"


def test_a_released_lease_is_free(store: Store, clock: Clock) -> None:
    leases.release(store, PATH, leases.acquire(store, PATH, claim("first"), clock))
    assert leases.standing(store, PATH) is None
    assert leases.acquire(store, PATH, claim("second"), clock).lease.run_id == "second"


def test_a_lease_of_this_machine_is_over_after_15_minutes_and_not_a_second_before(
    store: Store, clock: Clock
) -> None:
    first = leases.acquire(store, PATH, claim("first"), clock, ticks=clock.ticks)
    clock.pass_by(seconds=LIFETIME.total_seconds() - 1)
    with pytest.raises(LeaseHeld):
        leases.acquire(store, PATH, claim("second"), clock, ticks=clock.ticks)
    clock.pass_by(seconds=1)
    leases.acquire(store, PATH, claim("second"), clock, ticks=clock.ticks)
    for act in (lambda: leases.renew(store, PATH, first, clock), lambda: leases.release(store, PATH, first)):
        with pytest.raises(CasLost):
            act()


@pytest.mark.parametrize("days", [400, -400])
def test_no_jump_of_the_time_of_day_takes_a_lease_or_keeps_one(store: Store, clock: Clock, days: int) -> None:
    leases.acquire(store, PATH, claim("first"), clock, ticks=clock.ticks)
    clock.jump(days=days)
    with pytest.raises(LeaseHeld):
        leases.acquire(store, PATH, claim("second"), clock, ticks=clock.ticks)
    clock.jump(days=-2 * days)
    clock.pass_by(minutes=15)
    assert leases.acquire(store, PATH, claim("second"), clock, ticks=clock.ticks).lease.run_id == "second"


def elsewhere(run_id: str = "theirs") -> Lease:
    return replace(claim(run_id, "bob"), host="elsewhere", boot="machine boot pids")


def watched(store: Store, clock: Clock, act: Callable[[int], None]) -> Taken:
    """Wait for the lease; at each look that is in vain a minute passes, and the test acts."""
    looks: list[Lease] = []

    def on_wait(holder: Lease) -> None:
        looks.append(holder)
        clock.pass_by(minutes=1)
        act(len(looks))

    return leases.acquire(
        store, PATH, claim("mine"), clock, wait=DEADLINE, on_wait=on_wait, ticks=clock.ticks
    )


@pytest.mark.parametrize("days", [400, -400])
def test_a_lease_of_another_machine_is_over_once_it_was_seen_unchanged_for_its_whole_life(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    monkeypatch.setattr(leases, "_POLL", 0.0)
    leases.acquire(store, PATH, elsewhere(), clock, ticks=lambda: 7.0)
    clock.jump(days=days)
    looks: list[int] = []
    assert watched(store, clock, looks.append).lease.run_id == "mine"
    assert len(looks) == 15


def test_each_renewal_of_another_machine_begins_a_new_life(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "_POLL", 0.0)
    theirs = [leases.acquire(store, PATH, elsewhere(), clock, ticks=lambda: 7.0)]
    looks: list[int] = []

    def act(look: int) -> None:
        looks.append(look)
        if look in {10, 20}:
            theirs.append(leases.renew(store, PATH, theirs[-1], clock, ticks=lambda: 8.0))

    watched(store, clock, act)
    assert len(looks) == 20 + 15


def test_a_shorter_wait_leaves_it_held_and_says_what_would_free_it(store: Store, clock: Clock) -> None:
    leases.acquire(store, PATH, elsewhere(), clock, ticks=lambda: 7.0)
    clock.jump(days=400)
    with pytest.raises(LeaseHeld) as held:
        leases.acquire(store, PATH, claim("mine"), clock, ticks=clock.ticks)
    (words,) = held.value.evidence
    assert words.startswith('./inv lock.release --env local --reason "..." frees it')
    assert "unchanged for 15 min: --lock-wait 960" in words


def test_a_lease_that_an_older_version_wrote_is_read_and_judged_by_its_process(
    store: Store, clock: Clock
) -> None:
    written = {**claim("first").taken(NOON, 0.0).as_json(), "pid": 999_999_999}
    del written["ticks"]
    records.write(store, PATH, written)
    assert leases.acquire(store, PATH, claim("second"), clock).lease.run_id == "second"


def test_a_living_owner_keeps_its_lease_and_a_killed_one_loses_it(
    store: Store, clock: Clock, stranger: tuple[subprocess.Popen[str], Lease]
) -> None:
    process, theirs = stranger
    leases.acquire(store, PATH, theirs, clock)
    with pytest.raises(LeaseHeld):
        leases.acquire(store, PATH, claim("mine"), clock)
    process.kill()
    until(lambda: owner.is_gone(theirs))
    assert process.returncode is None, "it is not even reaped"
    assert leases.acquire(store, PATH, claim("mine"), clock).lease.run_id == "mine"


READERS = [owner._started_by_psutil] + [owner._started_by_proc] * Path("/proc/self/stat").exists()


@pytest.mark.parametrize("started", READERS)
def test_every_way_to_ask_tells_the_living_from_the_ended(
    started: Callable[[int], str | None], stranger: tuple[subprocess.Popen[str], Lease]
) -> None:
    process, _ = stranger
    first = started(process.pid)
    assert first
    assert started(process.pid) == first
    process.kill()
    until(lambda: started(process.pid) == "")
    process.wait()
    assert started(process.pid) == ""


NOT_PROVEN = {
    "another host": {"host": "elsewhere", "pid": 999_999_999},
    "another machine": {"boot": "another boot pids", "pid": 999_999_999},
    "an unknown boot": {"boot": "", "pid": 999_999_999},
    "an unknown start": {"pid_started": ""},
    "a living process": {},
}
THIS_MACHINE = owner.this_process("", "", "").boot.split()[0]
PROVEN = {
    "a pid that nobody has": {"pid": 999_999_999},
    "a reused pid": {"pid_started": "1"},
    "an earlier boot of this machine": {"boot": f"{THIS_MACHINE} earlier pids"},
}


@pytest.mark.parametrize("change", NOT_PROVEN.values(), ids=NOT_PROVEN)
def test_an_owner_that_may_live_is_left_alone(store: Store, clock: Clock, change: dict[str, object]) -> None:
    leases.acquire(store, PATH, replace(claim("first"), **change), clock)  # type: ignore[arg-type]  # table
    with pytest.raises(LeaseHeld):
        leases.acquire(store, PATH, claim("second"), clock)


@pytest.mark.parametrize("change", PROVEN.values(), ids=PROVEN)
def test_an_owner_that_is_provably_gone_is_taken_over_from(
    store: Store, clock: Clock, change: dict[str, object]
) -> None:
    leases.acquire(store, PATH, replace(claim("first"), **change), clock)  # type: ignore[arg-type]  # table
    assert leases.acquire(store, PATH, claim("second"), clock).lease.run_id == "second"


def test_of_many_claims_at_once_one_gets_the_lease(store: Store, clock: Clock) -> None:
    results: list[str] = []

    def take(number: int) -> None:
        try:
            results.append(leases.acquire(store, PATH, claim(f"run-{number}"), clock).lease.run_id)
        except LeaseHeld:
            results.append("held")

    threads = [threading.Thread(target=take, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count("held") == 7


def test_a_child_of_the_same_run_inherits_and_leaves_the_release_to_its_parent(
    store: Store, clock: Clock
) -> None:
    with leases.hold(store, PATH, claim("run"), clock) as parent:
        with leases.hold(store, PATH, claim("run"), clock) as child:
            assert child.lease == parent.lease
        assert leases.standing(store, PATH) == parent.lease
    assert leases.standing(store, PATH) is None


def test_waiting_ends_when_the_holder_is_done_and_says_who_that_is(store: Store, clock: Clock) -> None:
    first = leases.acquire(store, PATH, claim("first"), clock)
    seen: list[Lease] = []

    def on_wait(holder: Lease) -> None:
        seen.append(holder)
        if len(seen) == 2:
            leases.release(store, PATH, first)

    taken = leases.acquire(store, PATH, claim("second"), clock, wait=DEADLINE, on_wait=on_wait)
    assert taken.lease.run_id == "second"
    assert seen == [first.lease, first.lease]


def test_waiting_in_vain_ends_in_time_with_the_holder_named(store: Store, clock: Clock) -> None:
    leases.acquire(store, PATH, claim("first", "alice"), clock)
    began = time.monotonic()
    with pytest.raises(LeaseHeld, match="alice"):
        leases.acquire(store, PATH, claim("second"), clock, wait=0.1)
    assert 0.1 <= time.monotonic() - began < 2


def test_a_held_lease_is_renewed_in_the_background_and_freed_at_the_end(store: Store, clock: Clock) -> None:
    with leases.hold(store, PATH, claim("mine"), clock, renew_every=0.01) as holding:
        clock.pass_by(minutes=5)
        until(lambda: holding.lease.expires == NOON + timedelta(minutes=20))
        assert not holding.lost
    assert leases.standing(store, PATH) is None


def test_a_failing_body_frees_the_lease_too(store: Store, clock: Clock) -> None:
    with pytest.raises(ZeroDivisionError), leases.hold(store, PATH, claim("mine"), clock):
        raise ZeroDivisionError
    assert leases.standing(store, PATH) is None


def test_a_broken_lease_is_noticed_and_the_new_holder_is_not_disturbed(store: Store, clock: Clock) -> None:
    with leases.hold(store, PATH, claim("mine", "alice"), clock, renew_every=0.01) as holding:
        broken: list[Lease | None] = []

        def has_broken() -> bool:
            # A renewal between reading and writing wins; then break again.
            try:
                broken.append(leases.break_lease(store, PATH))
            except CasLost:
                return False
            return True

        until(has_broken)
        assert broken[0] is not None
        assert broken[0].holder == "alice"
        leases.acquire(store, PATH, claim("theirs", "bob"), clock)
        until(lambda: holding.lost)
        assert "freed" in holding.cause or "bob" in holding.cause
    standing = leases.standing(store, PATH)
    assert standing is not None
    assert standing.holder == "bob"


def test_a_store_that_does_not_answer_costs_the_lease_only_when_its_time_is_over(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[None] = []

    def fail(*_arguments: object) -> None:
        tries.append(None)
        raise Unreachable("nobody answers")

    with leases.hold(store, PATH, claim("mine"), clock, renew_every=0.01, ticks=clock.ticks) as holding:
        monkeypatch.setattr(leases, "renew", fail)
        until(lambda: len(tries) >= 3)
        clock.jump(days=1)
        seen = len(tries)
        until(lambda: len(tries) >= seen + 2)
        assert not holding.lost
        clock.pass_by(minutes=15)
        until(lambda: holding.lost)
        assert "nobody answers" in holding.cause


@pytest.mark.parametrize("record", [{"holder": "alice"}, {"expires": 3}, {"surprise": True}])
def test_something_else_than_a_lease_is_an_error_and_not_free(
    store: Store, clock: Clock, record: dict[str, object]
) -> None:
    records.write(store, PATH, record)
    with pytest.raises(StoreError, match="no lease"):
        leases.acquire(store, PATH, claim("mine"), clock)
