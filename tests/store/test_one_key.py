"""Single keys are written without losing what others write at the same time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from infra.model.errors import CasLost
from infra.model.secret import Secret
from infra.store.file_store import FileStore
from infra.vault.ages import changes
from infra.vault.one_key import older, write_keys

PATH = "project/staging/app"


class Raced(FileStore):
    """A store in which another writer is faster, as often as `races` says."""

    races = 0

    def put(self, path: str, values: Mapping[str, Secret], cas: int | None = None) -> int:
        if self.races:
            self.races -= 1
            super().put(path, {"THEIRS": Secret(f"theirs {self.races}")})
        return super().put(path, values, cas)


@pytest.fixture
def store(tmp_path: Path) -> Raced:
    return Raced(tmp_path / "private", "staging", tmp_path / "checkout")


def test_a_lost_race_is_read_again_merged_and_written_once_more(store: Raced) -> None:
    store.races = 1
    written = write_keys(store, PATH, {"MINE": Secret("mine")})
    assert written.version == 2
    assert store.get(PATH).values == {"THEIRS": Secret("theirs 0"), "MINE": Secret("mine")}


def test_a_race_that_is_lost_twice_is_an_error_and_nothing_is_written(store: Raced) -> None:
    store.races = 2
    with pytest.raises(CasLost):
        write_keys(store, PATH, {"MINE": Secret("mine")})
    assert store.get(PATH).values == {"THEIRS": Secret("theirs 0")}


def test_the_same_value_again_makes_no_version(store: Raced) -> None:
    first = write_keys(store, PATH, {"A": Secret("1")})
    again = write_keys(store, PATH, {"A": Secret("1")})
    assert (first.is_new, again.is_new, store.get(PATH).version) == (True, False, 1)


def test_older_values_are_given_newest_first_and_only_as_far_as_they_hold_the_key(store: Raced) -> None:
    for text in "abcdef":
        store.put(PATH, {"A": Secret(text)})
    store.destroy(PATH, (4,))
    assert [found["A"].reveal() for found in older(store, PATH, 6, ["A"])] == ["e", "c"]
    assert list(older(store, PATH, 6, ["B"])) == []


def test_a_keys_age_is_that_of_its_own_last_change(store: Raced) -> None:
    for one in ({"A": "1"}, {"A": "1", "B": "1"}, {"A": "2", "B": "1"}, {"A": "2", "B": "1", "C": "1"}):
        store.put(PATH, {key: Secret(value) for key, value in one.items()})
    found = changes(store, PATH)
    assert {key: (one.version, one.is_exact) for key, one in found.items()} == {
        "A": (3, True),
        "B": (2, True),
        "C": (4, True),
    }
    assert changes(store, "project/staging/none") == {}


def test_a_key_that_is_older_than_all_that_is_kept_says_so(store: Raced) -> None:
    for number in range(12):
        store.put(PATH, {"OLD": Secret("same"), "NEW": Secret(str(number))})
    found = changes(store, PATH)
    assert (found["OLD"].version, found["OLD"].is_exact) == (3, False)
    assert (found["NEW"].version, found["NEW"].is_exact) == (12, True)
