"""Ports of a checkout: what is written stays, the rest moves together, no number twice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.model.errors import BadInput, PortTaken
from infra.model.ports import (
    DEFAULT,
    HIGHEST,
    PortsWanted,
    choose_apart,
    choose_ports,
    move,
    require_known,
    usual_ports,
)
from tests.model.yaml_cases import cases

ORDER = ("router", "frontend", "backend", "postgres", "redis", "minio", "minio_console")
NUMBERS = st.integers(1, HIGHEST) | st.sampled_from(
    [*DEFAULT.values(), *(one + 100 for one in DEFAULT.values())]
)
SOME_PORTS = st.dictionaries(st.sampled_from(ORDER), NUMBERS)


@pytest.mark.parametrize(
    ("case", "facts"), cases("ports", "chosen"), ids=lambda one: one if isinstance(one, str) else ""
)
def test_ports_are_chosen_as_the_rules_say(case: str, facts: dict[str, Any]) -> None:
    taken = set(facts.get("taken", []))
    written, recorded, unused = (facts.get(key, {}) for key in ("written", "recorded", "unused"))
    chosen = choose_ports(written, recorded, taken.__contains__, unused)
    expected = zip(ORDER, facts["gives"], strict=True)
    assert chosen == {name: port for name, port in expected if port is not None}, case


QUIET = PortsWanted(DEFAULT, {}, unused=["minio_console"], quiet=["minio"])
LOUD = {"router": 3000, "frontend": 3001, "backend": 8000, "postgres": 5432, "redis": 6379}


@pytest.mark.parametrize(
    ("wanted", "recorded", "taken", "gives"),
    [
        (QUIET, {}, set(), {**LOUD, "minio": 9000}),
        (QUIET, {}, {9000}, {**LOUD, "minio": 9100}),
        (QUIET, {}, {3000}, {name: port + 100 for name, port in LOUD.items()} | {"minio": 9000}),
        (QUIET, LOUD, {*LOUD.values(), 9000}, {**LOUD, "minio": 9100}),
        (QUIET, {**LOUD, "minio": 9200}, {9200}, {**LOUD, "minio": 9200}),
        (QUIET, {"minio": 3000}, set(), {**LOUD, "minio": 9000}),
    ],
    ids=[
        "all free",
        "its own is taken",
        "another's is taken",
        "it is new here",
        "recorded",
        "recorded badly",
    ],
)
def test_a_quiet_part_moves_alone(
    wanted: PortsWanted, recorded: dict[str, int], taken: set[int], gives: dict[str, int]
) -> None:
    assert choose_apart(wanted, recorded, taken.__contains__) == gives


BLOCK = {name: port + 100 for name, port in LOUD.items()} | {"minio": 9000}


@pytest.mark.parametrize(
    ("written", "held", "living", "gives"),
    [
        ({}, {"redis"}, set(), BLOCK),
        ({}, {"redis"}, {"postgres"}, {**BLOCK, "postgres": 5432}),
        ({}, {"redis"}, {"redis"}, BLOCK),
        ({"router": 3000}, {"redis"}, set(), {**BLOCK, "router": 3000}),
        ({}, {"minio"}, set(), {**LOUD, "minio": 9100}),
        ({}, {"minio", "redis"}, set(), {**BLOCK, "minio": 9100}),
        ({}, set(), set(), {**LOUD, "minio": 9000}),
    ],
    ids=[
        *("all are down", "what runs stays", "only seems to run", "what is written stays", "a quiet one"),
        *("both kinds", "nothing is held"),
    ],
)
def test_what_strangers_hold_moves_with_all_that_nobody_wrote_and_nothing_runs_on(
    written: dict[str, int], held: set[str], living: set[str], gives: dict[str, int]
) -> None:
    wanted = PortsWanted(DEFAULT, written, unused=["minio_console"], quiet=["minio"])
    now = {**LOUD, "minio": 9000}
    taken = {now[name] for name in held}
    assert move(wanted, now, held, living, taken.__contains__) == gives


def test_two_names_with_one_written_port_are_a_fault_of_the_settings() -> None:
    with pytest.raises(BadInput, match="ports/router and ports/backend are both 3000"):
        choose_ports({"router": 3000, "backend": 3000}, {}, lambda _: False)


def test_when_every_port_is_taken_the_person_is_asked_to_write_some() -> None:
    asked: set[int] = set()

    def taken(port: int) -> bool:
        asked.add(port)
        return True

    with pytest.raises(PortTaken, match="no block of free ports"):
        choose_ports({}, {}, taken)
    assert max(asked) <= HIGHEST


def test_the_last_block_below_the_limit_is_used() -> None:
    assert choose_ports({}, {}, lambda port: port < 59_500)["minio_console"] == 65_501
    with pytest.raises(PortTaken):
        choose_ports({}, {}, lambda port: port < 59_501)


@given(SOME_PORTS, SOME_PORTS, st.sets(NUMBERS), st.sets(st.sampled_from(ORDER)))
def test_no_number_is_given_twice_and_none_that_a_stranger_holds(
    written: dict[str, int], recorded: dict[str, int], taken: set[int], unused: set[str]
) -> None:
    if len(set(written.values())) < len(written):
        with pytest.raises(BadInput):
            choose_ports(written, recorded, taken.__contains__, unused)
        return
    chosen = choose_ports(written, recorded, taken.__contains__, unused)
    assert set(chosen) == set(ORDER) - unused
    assert len(set(chosen.values())) == len(chosen)
    assert all(1 <= port <= HIGHEST for port in chosen.values())
    assert all(port == written.get(name, port) for name, port in chosen.items())
    kept = {name for name in recorded if chosen.get(name) == recorded[name]}
    assert not taken & {port for name, port in chosen.items() if name not in written and name not in kept}


@given(SOME_PORTS, st.sets(NUMBERS))
def test_what_is_not_written_moves_as_one_block(written: dict[str, int], taken: set[int]) -> None:
    if len(set(written.values())) < len(written):
        return
    chosen = choose_ports(written, {}, taken.__contains__)
    distances = {chosen[name] - DEFAULT[name] for name in ORDER if name not in written}
    assert len(distances) <= 1
    assert all(distance >= 0 and distance % 100 == 0 for distance in distances)


@given(st.sets(NUMBERS), st.sets(NUMBERS))
def test_what_was_chosen_and_recorded_is_chosen_again_whatever_is_taken_now(
    then: set[int], now: set[int]
) -> None:
    chosen = choose_ports({}, {}, then.__contains__)
    assert choose_ports({}, chosen, now.__contains__) == chosen


def test_a_port_for_a_part_that_nobody_declares_is_a_fault_of_the_settings() -> None:
    usual = usual_ports({"backend": 8000, "search": 7700})
    assert (usual["search"], usual["backend"], usual["router"]) == (7700, 8000, 3000)
    require_known({"search": 7701}, usual)
    with pytest.raises(BadInput, match="ports/rooter: no such part; there are backend, frontend"):
        require_known({"rooter": 3000}, usual)


def test_a_part_of_another_project_gets_a_port_of_the_same_block() -> None:
    usual = usual_ports({"search": 7700})
    chosen = choose_ports({}, {}, lambda port: port == 7700, usual=usual)
    assert (chosen["search"], chosen["router"]) == (7800, 3100)
