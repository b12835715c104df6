"""Observed and wanted to a plan."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.model.observed import Absent, DataFolder, Found, Observed, Running, Unmarked
from infra.model.service import Health, Limits, Part, Service
from infra.model.unit import Bundle, Unit
from infra.plan.reconcile import Wanted, reconcile

LIMITS = Limits(memory_mib=64, processes=10)


def service(name: str, program: str, needs: tuple[str, ...] = (), data: str = "") -> Service:
    """Give a service of one part; one that runs Python runs the application's code."""
    part = Part(name=name, program=program, command=(), port=1, health=Health("http"), limits=LIMITS)
    return Service(name=name, parts=(part,), needs=needs, data_version=data, from_source=program == "python")


def bundle(name: str, argv: str = "run", release: str = "") -> Bundle:
    unit = Unit(
        name=name,
        service=name,
        program="p 1",
        argv=(argv,),
        directory="/",
        environment=(),
        port=1,
        health=Health("http", start_period=30),
    )
    return Bundle(name, (unit,), release, ())


STORE = service("store", "postgres", data="16")
CACHE = service("cache", "redis")
APP = service("app", "python", needs=("store", "cache"))
SERVICES = (STORE, CACHE, APP)
BUNDLES = {"store": bundle("store"), "cache": bundle("cache"), "app": bundle("app", release="a" * 40)}
WANTED = Wanted(SERVICES, BUNDLES, frozenset({"app"}), keeper="v1")


def running(name: str, digest: str | None = None, started: float = 1000.0) -> Running:
    return Running(name, f"1@{started}", started, digest or BUNDLES[name].digest, "d1", name)


WORLD = Observed(
    at=2000.0,
    units={name: Found(running(name)) for name in BUNDLES},
    folders={"store": Found(DataFolder("p", "e", "store", "c", "16"))},
    releases=frozenset({"a" * 40}),
    keeper=Found("v1"),
)


def words(observed: Observed, wanted: Wanted = WANTED) -> list[str]:
    return [f"{step.kind} {step.subject}" for step in reconcile(observed, wanted).operations]


def test_an_unchanged_world_has_an_empty_plan() -> None:
    assert reconcile(WORLD, WANTED).is_empty


def test_an_empty_machine_gets_everything_in_the_order_of_needs() -> None:
    empty = Observed(units={name: Absent() for name in BUNDLES}, folders={"store": Absent()})
    wanted = replace(WANTED, unwritten={"store": ("PASSWORD",)}, secret_files={"store": "d"})
    assert words(empty, wanted) == [
        "generate-secrets store",
        "start-supervisor supervisor",
        "write-secrets store",
        "create-data store",
        "start-unit store",
        "start-unit cache",
        f"store-release {'a' * 12}",
        "ensure-database store",
        "start-unit app",
    ]


def test_a_derived_key_that_changes_is_a_line_of_its_own_with_its_reason() -> None:
    moved = {"app": {"DATABASE_URL": "its port is 5532 now"}}
    plan = reconcile(WORLD, replace(WANTED, rewritten=moved))
    assert [str(step) for step in plan.operations] == [
        "rewrite derived app DATABASE_URL: its port is 5532 now"
    ]
    left = replace(WORLD, units={**WORLD.units, "store": Found(running("store", "b" * 64))})
    assert words(left, replace(WANTED, rewritten={"store": {"URL": "its port is 5532 now"}})) == []


def test_a_unit_that_died_a_moment_ago_is_started_again() -> None:
    world = replace(WORLD, units={**WORLD.units, "cache": Absent()})
    assert words(world) == ["start-unit cache", "ensure-database store"]


def test_another_bundle_restarts_the_service_that_was_asked_for() -> None:
    world = replace(WORLD, units={**WORLD.units, "app": Found(running("app", "b" * 64))})
    assert words(world) == ["ensure-database store", "restart-unit app"]


def test_a_need_with_a_pending_change_is_named_and_left_alone() -> None:
    world = replace(WORLD, units={**WORLD.units, "store": Found(running("store", "b" * 64))})
    plan = reconcile(world, WANTED)
    assert (plan.is_empty, plan.left_alone) == (True, ("store",))


def test_force_restarts_only_what_was_asked_for() -> None:
    assert words(WORLD, replace(WANTED, force=True)) == ["ensure-database store", "restart-unit app"]


@pytest.mark.parametrize(
    ("fault", "age", "expected"),
    [
        ("no answer in 4 s", 100.0, ["ensure-database store", "restart-unit app"]),
        ("no answer in 4 s", 5.0, []),
        ("GET /health answered 503", 100.0, []),
    ],
)
def test_a_hanging_unit_is_restarted_but_not_a_young_or_an_answering_one(
    fault: str, age: float, expected: list[str]
) -> None:
    world = replace(WORLD, unhealthy={"app": fault}, at=1000.0 + age)
    assert words(world) == expected


def test_a_unit_that_runs_twice_is_ended_and_started_once() -> None:
    world = replace(WORLD, strangers=(running("cache"),))
    assert words(world) == ["stop-unit cache", "start-unit cache", "ensure-database store"]


def test_a_supervisor_that_is_gone_or_older_is_replaced_and_nothing_else() -> None:
    for keeper in (Absent(), Found("v0")):
        assert words(replace(WORLD, keeper=keeper)) == ["start-supervisor supervisor"]


def test_a_data_folder_that_was_left_half_made_is_made_again() -> None:
    half = {"store": Found(DataFolder("p", "e", "store", "c", ""))}
    world = replace(WORLD, folders=half, units={**WORLD.units, "store": Absent()})
    assert words(world)[:2] == ["create-data store", "start-unit store"]


def test_secrets_that_are_held_back_are_not_written() -> None:
    wanted = replace(WANTED, secret_files={"app": "digest"}, held_back=frozenset({"app"}))
    assert reconcile(WORLD, wanted).is_empty
    assert words(WORLD, replace(wanted, held_back=frozenset())) == [
        "write-secrets app",
        "ensure-database store",
    ]


def test_the_identity_of_a_plan_moves_with_its_reasons_and_not_with_time() -> None:
    gone = replace(WORLD, units={**WORLD.units, "cache": Absent()})
    later = replace(gone, at=9999.0)
    assert reconcile(gone, WANTED).identity == reconcile(later, WANTED).identity
    assert reconcile(gone, WANTED).identity != reconcile(WORLD, WANTED).identity


GONE = {"there is none yet": Absent(), "that is moved aside": Unmarked()}


@pytest.mark.parametrize(("words_of_it", "folder"), [(key, GONE[key]) for key in GONE], ids=GONE)
def test_what_goes_on_without_its_data_is_stopped_before_new_ones_are_made(
    words_of_it: str, folder: Absent | Unmarked
) -> None:
    wanted = replace(WANTED, asked=frozenset(BUNDLES))
    plan = reconcile(replace(WORLD, folders={"store": folder}), wanted)
    steps = [f"{step.kind} {step.subject}" for step in plan.operations]
    assert steps[:3] == ["stop-unit store", "create-data store", "start-unit store"]
    assert words_of_it in plan.operations[1].reason


def test_a_unit_that_no_supervisor_knows_is_restarted() -> None:
    wanted = replace(WANTED, asked=frozenset(BUNDLES))
    steps = reconcile(replace(WORLD, unkept=frozenset({"cache"})), wanted).operations
    assert [(one.kind, one.subject, one.reason) for one in steps if one.service == "cache"] == [
        ("restart-unit", "cache", "no supervisor knows it")
    ]


def test_units_whose_snapshot_is_gone_are_restarted_from_a_new_one() -> None:
    steps = words(replace(WORLD, releases=frozenset()))
    assert steps == ["store-release aaaaaaaaaaaa", "ensure-database store", "restart-unit app"]


def test_a_service_outside_of_this_run_whose_address_moves_is_named_too() -> None:
    """It goes on with the address of before until it is asked for itself."""
    moved = {"far": {"URL": "its port is 5532 now"}, "store": {"URL": "its port is 5532 now"}}
    plan = reconcile(WORLD, replace(WANTED, rewritten=moved))
    assert plan.left_alone == ("far",)
    assert "rewrite derived far URL: its port is 5532 now" in [str(step) for step in plan.operations]


def owned_by(user: str) -> dict[str, Bundle]:
    unit = replace(BUNDLES["store"].units[0], user=user)
    return {**BUNDLES, "store": replace(BUNDLES["store"], units=(unit,))}


def test_an_account_that_the_machine_lacks_is_made_before_anything_of_its_service() -> None:
    bundles = owned_by("p_store")
    empty = Observed(
        units=dict.fromkeys(BUNDLES, Absent()), unmade=frozenset({"p_store"}), keeper=Found("v1")
    )
    steps = words(empty, replace(WANTED, bundles=bundles, secret_files={"store": "d"}))
    assert steps[:2] == ["create-account p_store", "write-secrets store"]
    assert "create-account p_store" not in words(
        replace(empty, unmade=frozenset()), replace(WANTED, bundles=bundles)
    )


@pytest.mark.parametrize(("owner", "user"), [("nobody", "p_store"), ("", "p_store"), ("p_store", "")])
def test_data_of_another_account_change_owner_once_while_their_server_is_stopped(
    owner: str, user: str
) -> None:
    wanted = replace(WANTED, bundles=owned_by(user))
    there = replace(WORLD, owners={"store": owner})
    assert [step for step in words(there, wanted) if step.endswith("store")] == [
        "stop-unit store",
        "change-owner store",
        "start-unit store",
        "ensure-database store",
    ]
    stopped = replace(there, units={**WORLD.units, "store": Absent()})  # killed right after the stop
    assert words(stopped, wanted)[:2] == ["change-owner store", "start-unit store"]
    assert "change-owner store" not in words(replace(there, owners={"store": user}), wanted)
