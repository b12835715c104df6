"""What servers of other accounts run lies where these can enter, once a machine, ours alone to change."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from infra.model.places import Program
from infra.targets.process import programs
from tests.neighbour import NEIGHBOUR, needs_root


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A program below a folder that nobody else can enter."""
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    (folder / "server").write_text("#!/bin/sh\necho it runs\n", encoding="utf-8")
    (folder / "server").chmod(0o755)
    return folder / "server"


def brought(program: Path, place: Path) -> Path:
    found = programs.copied(Program((str(program), "mini"), "server 1.0"), place)
    assert found.argv[1:] == ("mini",)
    assert found.copy_of == str(program)
    programs.install(found)
    return Path(found.argv[0])


def test_it_is_brought_once_for_all_checkouts_of_the_machine(closed: Path, tmp_path: Path) -> None:
    first, again = (brought(closed, tmp_path / "programs") for _ in range(2))
    assert first == again == tmp_path / f"programs/server-1.0-{closed.stat().st_size}/server"
    assert first.read_bytes() == closed.read_bytes()
    assert first.stat().st_mode & 0o777 == 0o755
    assert [one.name for one in (tmp_path / "programs").iterdir()] == [first.parent.name]


def test_where_everybody_can_enter_it_stays_where_it_is() -> None:
    found = Program(("/bin/sh",), "sh")
    assert programs.copied(found, Path("/nowhere")) == found


@needs_root
def test_what_somebody_else_owns_is_copied_and_is_ours_then(closed: Path, tmp_path: Path) -> None:
    os.chown(closed, NEIGHBOUR, NEIGHBOUR)
    copy = brought(closed, tmp_path / "programs")
    assert (copy.stat().st_uid, copy.stat().st_nlink) == (0, 1)


def test_a_disk_of_its_own_takes_a_copy(
    closed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: Path, _target: Path) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    assert brought(closed, tmp_path / "programs").stat().st_nlink == 1


def test_what_another_checkout_runs_is_not_taken_away_by_one_that_comes_later(
    closed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = brought(closed, tmp_path / "programs")
    before = first.parent.stat().st_ino
    stood: list[bool] = []
    rename = Path.rename

    def watched(path: Path, to: Path) -> Path:
        stood.append(first.exists())
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", watched)
    assert brought(closed, tmp_path / "programs").parent.stat().st_ino == before
    assert stood == [True]
    assert [one.name for one in (tmp_path / "programs").iterdir()] == [first.parent.name]


def test_a_place_that_lost_its_program_is_filled_again(closed: Path, tmp_path: Path) -> None:
    first = brought(closed, tmp_path / "programs")
    first.with_name("left").touch()
    first.unlink()
    assert brought(closed, tmp_path / "programs") == first
    assert [one.name for one in first.parent.iterdir()] == ["server"]


@pytest.mark.parametrize("mode", [0o777, 0o775])
def test_what_only_its_folder_kept_others_from_writing_is_copied_narrower(
    closed: Path, tmp_path: Path, mode: int
) -> None:
    closed.chmod(mode)
    copy = brought(closed, tmp_path / "programs")
    assert (copy.stat().st_mode & 0o777, copy.stat().st_nlink) == (0o755, 1)
    assert closed.stat().st_mode & 0o777 == mode
