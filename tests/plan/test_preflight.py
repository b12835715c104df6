"""What forbids a change before it begins."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.model.command_line import CommandLine
from infra.model.observed import Absent, DataFolder, Found, Observed, Unknown
from infra.model.service import Service
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
