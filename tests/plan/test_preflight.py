"""What forbids a change before it begins."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.model.command_line import CommandLine
from infra.model.observed import Absent, DataFolder, Found, Observed, Running, Unknown, Unmarked
from infra.model.service import Health, Limits, Part, Service
from infra.plan.preflight import Ground, preflight

MINE = DataFolder("shop", "local", "store", "c0ffee00", "16")
GROUND = Ground(
    commands=CommandLine("shop", "local"),
    checkout="c0ffee00",
    services=(Service("store", (), data_version="16"),),
    deployed=frozenset(),
    allow_empty=False,
    free_bytes=10**10,
    total_bytes=10**11,
    places={"store": "/data/store"},
)


def faults(folder: object, ground: Ground = GROUND) -> list[str]:
    return [fault.message for fault in preflight(Observed(folders={"store": folder}), ground)]  # type: ignore[dict-item]


def test_its_own_folder_and_a_first_start_are_allowed() -> None:
    assert faults(Found(MINE)) == []
    assert faults(Absent()) == []


@pytest.mark.parametrize(
    "foreign",
    [
        replace(MINE, environment="staging"),
        replace(MINE, checkout="deadbeef"),
        replace(MINE, project="other"),
        replace(MINE, service="cache"),
    ],
)
def test_a_folder_of_somebody_else_is_refused(foreign: DataFolder) -> None:
    assert "belongs to" in faults(Found(foreign))[0]


def test_a_folder_of_another_major_version_is_refused_with_the_way_to_move_it() -> None:
    found = preflight(Observed(folders={"store": Found(replace(MINE, version="15"))}), GROUND)
    assert "has format 15, store needs 16" in found[0].message
    assert "dump" in found[0].next_step


def test_an_empty_folder_after_a_deploy_is_refused_unless_the_person_says_so() -> None:
    ran = replace(GROUND, deployed=frozenset({"store"}))
    assert "is empty" in faults(Absent(), ran)[0]
    assert faults(Absent(), replace(ran, allow_empty=True)) == []


def test_what_cannot_be_read_stops_the_change() -> None:
    assert faults(Unknown("permission denied")) == ["cannot be read: data folder store: permission denied"]


def test_a_full_disk_stops_the_change() -> None:
    assert "only 1 MiB" in faults(Found(MINE), replace(GROUND, free_bytes=2**20))[0]


def test_files_that_say_nothing_of_their_owner_are_replaced_only_when_asked() -> None:
    (fault,) = preflight(Observed(folders={"store": Unmarked()}), GROUND)
    assert "nothing in it says whose they are" in fault.message
    assert fault.next_step.endswith("./inv shop.setup --env local --init")
    assert faults(Unmarked(), replace(GROUND, allow_empty=True)) == []


def test_a_unit_that_runs_without_its_data_is_asked_about_even_without_any_record() -> None:
    part = Part("store", "postgres", (), 1, Health("http"), Limits(memory_mib=64, processes=10))
    ground = replace(GROUND, services=(Service("store", (part,), data_version="16"),))
    running = Found(Running("store", "1@1", 1.0, "b", "d"))
    observed = Observed(units={"store": running}, folders={"store": Absent()})
    assert "has run before" in preflight(observed, ground)[0].message
    assert preflight(replace(observed, units={}), ground) == []


def test_data_without_their_secrets_are_refused_and_a_new_start_is_the_way_on() -> None:
    ground = replace(GROUND, locked=frozenset({"store"}))
    (fault,) = preflight(Observed(folders={"store": Found(MINE)}), ground)
    assert "the store has lost the secrets" in fault.message
    assert fault.next_step.endswith("./inv shop.destroy --env local")
    assert faults(Found(replace(MINE, version="")), ground) == []
