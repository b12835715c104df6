"""The files of the caller's variables: private, one for each set of values, read again when a unit starts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import finance_report
from infra.model.errors import CannotTell
from infra.model.passed import FILE, Passed
from infra.model.unit import Unit, bundle_from_json
from infra.plan.units import bundle_of
from infra.targets.process import passed_files
from tests.plan.test_development import SCENE

APP = finance_report.PROJECT.service("app")
VALUES = {"COLOUR": 'it\'s\n"green"', "RAW": "\udcff", "PORT": "1", "EMPTY": ""}


@pytest.fixture
def passed() -> Passed:
    return Passed(VALUES)


def unit_in(folder: Path, passed: Passed) -> Unit:
    """Give the backend's unit as it is rendered for these variables."""
    scene = replace(SCENE, places=replace(SCENE.places, secrets=str(folder)), passed=passed.digest)
    return next(unit for unit in bundle_of(APP, scene).units if unit.name == "backend")


def test_a_unit_starts_with_the_values_of_its_file_and_its_own_win(tmp_path: Path, passed: Passed) -> None:
    unit = unit_in(tmp_path, passed)
    passed_files.write(unit, passed)
    seen = passed_files.variables(unit)
    assert {name: seen[name] for name in ("COLOUR", "RAW", "EMPTY")} == {
        name: VALUES[name] for name in ("COLOUR", "RAW", "EMPTY")
    }
    assert seen["PORT"] == dict(unit.environment)["PORT"] != "1"


def test_the_file_and_its_folder_are_private(tmp_path: Path, passed: Passed) -> None:
    unit = unit_in(tmp_path, passed)
    passed_files.write(unit, passed)
    file = Path(dict(unit.environment)[FILE])
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_bundle_names_the_digest_and_holds_no_value(tmp_path: Path, passed: Passed) -> None:
    scene = replace(SCENE, places=replace(SCENE.places, secrets=str(tmp_path)))
    without, one, other = (
        bundle_of(APP, replace(scene, passed=each.digest))
        for each in (Passed(), passed, Passed({"COLOUR": "red"}))
    )
    assert len({without.digest, one.digest, other.digest}) == 3
    assert "green" not in str(one.as_json())
    assert list(passed_files.files_of(bundle_from_json(one.as_json()))) == list(passed_files.files_of(one))
    assert len(list(passed_files.files_of(one))) == len(APP.parts)
    assert list(passed_files.files_of(without)) == []


def test_a_unit_without_a_file_has_its_own_variables_alone(passed: Passed) -> None:
    unit = bundle_of(APP, SCENE).units[0]
    passed_files.write(unit, passed)
    assert passed_files.variables(unit) == dict(unit.environment)


def test_an_earlier_release_keeps_its_values_and_without_them_it_does_not_start(
    tmp_path: Path, passed: Passed
) -> None:
    earlier, now = unit_in(tmp_path, passed), Passed({"COLOUR": "red"})
    passed_files.write(earlier, passed)
    passed_files.write(earlier, now)
    assert passed_files.variables(earlier)["COLOUR"] == VALUES["COLOUR"]
    Path(dict(earlier.environment)[FILE]).unlink()
    with pytest.raises(CannotTell, match="not kept any more"):
        passed_files.write(earlier, now)
    with pytest.raises(CannotTell, match="cannot be used"):
        passed_files.variables(earlier)


def test_what_no_release_needs_is_removed_and_what_is_kept_can_be_masked(
    tmp_path: Path, passed: Passed
) -> None:
    places = replace(SCENE.places, secrets=str(tmp_path))
    kept, other = unit_in(tmp_path, passed), Passed({"COLOUR": "red"})
    passed_files.write(kept, passed)
    passed_files.write(unit_in(tmp_path, other), other)
    bundle = bundle_of(APP, replace(SCENE, places=places, passed=passed.digest))
    assert passed_files.are_kept(bundle, other)
    passed_files.prune(places, set(passed_files.files_of(bundle)))
    assert list(passed_files.known(places)) == [VALUES]
    passed_files.prune(places, set())
    assert list(passed_files.known(places)) == []
    assert passed_files.are_kept(bundle, passed)
    assert not passed_files.are_kept(bundle, other)
