"""Data folders say for whom they were made; what says nothing is never deleted."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.model.observed import Absent, DataFolder, Found, Unknown, Unmarked
from infra.targets.process import data_folders

MARKER = DataFolder("shop", "local", "cache", "c0ffee00", "7.2")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.chmod(0o755)
    return tmp_path / "data/cache"


def test_a_folder_is_read_back_as_it_was_made(folder: Path) -> None:
    assert data_folders.read(folder) == Absent()
    data_folders.create(folder, MARKER)
    assert data_folders.read(folder) == Found(MARKER)


def test_a_marker_that_a_kill_left_half_written_is_none(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / data_folders.BESIDE).write_text("{", encoding="utf-8")
    assert data_folders.read(folder) == Absent()
    data_folders.create(folder, MARKER)
    assert data_folders.read(folder) == Found(MARKER)


def test_what_a_living_server_wrote_into_a_lost_folder_is_moved_aside_each_time(folder: Path) -> None:
    for number in (1, 2):
        folder.mkdir(parents=True)
        (folder / "dump.rdb").write_text(str(number), encoding="utf-8")
        assert data_folders.read(folder) == Unmarked()
        data_folders.create(folder, MARKER)
        assert [one.name for one in folder.iterdir()] == [".infra.json"]
        kept = folder.with_name(f"cache.found-{number}") / "dump.rdb"
        assert kept.read_text(encoding="utf-8") == str(number)
        (folder / ".infra.json").unlink()
        folder.rmdir()


def test_a_marker_that_cannot_be_understood_is_unknown_and_stays(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / ".infra.json").write_text("{", encoding="utf-8")
    assert isinstance(data_folders.read(folder), Unknown)
