"""Whether a run may begin beside others, and how its processes are ended."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from infra.model.errors import CannotTell
from infra.model.runner import Identity, Runner, RunnerList, runner_list_from_json
from infra.plan.ending import Word, due
from infra.plan.turns import are_alone, free_index, require_free


def runner(namespace: str, index: int = 1, servers: str = "here", branch: str = "b") -> Runner:
    identity = Identity(branch, "", "", "/app").key
    return Runner(
        1, "2", "host", "boot", f"run-{namespace}", namespace, identity, "/app", servers, index, "t"
    )


def test_a_namespace_that_a_living_runner_holds_is_refused_whoever_asks() -> None:
    """The same checkout would drop its own databases under itself, another one somebody else's."""
    held = [runner("pr_4")]
    for branch in ("b", "other"):
        with pytest.raises(CannotTell, match="pr_4") as refusal:
            require_free("pr_4", Identity(branch, "", "", "/app").key, held)
        assert "WORKSPACE_ID" in refusal.value.next_step


@pytest.mark.parametrize("other", ["pr_47", "pr_470", "pr", "pr_4_gw", "r_4"])
def test_a_namespace_that_only_looks_alike_is_free(other: str) -> None:
    require_free("pr_4", Identity("pr-4", "", "", "/app").key, [runner(other)])


def test_each_run_gets_a_cache_database_of_its_own_and_never_the_applications() -> None:
    taken: list[Runner] = []
    for number in range(15):
        taken.append(runner(f"n{number}", free_index(taken)))
    assert sorted(one.index for one in taken) == list(range(1, 16))
    with pytest.raises(CannotTell):
        free_index(taken)


def test_the_last_run_of_these_servers_is_alone_whatever_others_do() -> None:
    ours, theirs = runner("a"), runner("b", servers="elsewhere")
    assert are_alone("here", ours.run, [ours, theirs])
    assert not are_alone("here", ours.run, [ours, theirs, runner("c")])


def test_the_runner_list_is_read_back_as_it_was_written() -> None:
    known = RunnerList((runner("a"), runner("b"))).with_started("here", {"postgres": "1@2"})
    assert runner_list_from_json(json.loads(json.dumps(known.as_json()))) == known
    assert known.without("run-a").runners == (runner("b"),)
    assert known.with_started("here", {}).started == {}


@pytest.mark.parametrize("value", [{}, [], None, {"schema": 2, "runners": [], "started": {}}, {"schema": 1}])
def test_what_is_no_runner_list_is_not_read_as_one(value: object) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        runner_list_from_json(value)


def test_gits_branch_tells_runs_apart_only_where_nobody_named_one() -> None:
    named = [Identity("feature-auth", "", git, "/app").key for git in ("main", "other")]
    unnamed = [Identity("", "", git, "/app").key for git in ("main", "other")]
    assert named[0] == named[1]
    assert unnamed[0] != unnamed[1]


@pytest.mark.parametrize(
    ("arrivals", "now", "sent", "expected"),
    [
        ([], 100, [], ""),
        ([0], 9.9, ["SIGINT"], ""),
        ([0], 10, ["SIGINT"], "SIGTERM"),
        ([0], 14.9, ["SIGINT", "SIGTERM"], ""),
        ([0], 15, ["SIGINT", "SIGTERM"], "SIGKILL"),
        ([0], 99, ["SIGINT", "SIGTERM", "SIGKILL"], ""),
        ([0], 10, ["SIGTERM"], "SIGTERM"),
        ([0, 1], 1, ["SIGINT"], "SIGKILL"),
    ],
)
def test_ten_seconds_then_five_and_a_second_request_skips_both(
    arrivals: Sequence[float], now: float, sent: Sequence[Word], expected: Word
) -> None:
    assert due(arrivals, now, sent) == expected
