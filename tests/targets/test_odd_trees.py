"""Odd things in the application's tree: each is part of the release as git has it, or named in an error."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.model.errors import BadInput, CannotTell
from infra.targets.process import modes, tree
from infra.targets.process.snapshots import Snapshots
from tests.targets.test_tree import git_tree

BYTES = (
    b"\xe9.py",
    b"two\nlines.py",
    b"\x1b[31mred",
    b"a\\b",
    b"'\"$`",
    b" ",
    b"\xe2\x80\xae",
    b"x" * 255,
)
NAMES = sorted(os.fsdecode(name) for name in BYTES)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = tmp_path / "source"
    (root / "app/src").mkdir(parents=True)
    (root / "app/src/a.py").write_text("a", encoding="utf-8")
    return root


def stored(source: Path, releases: Path) -> Path:
    """Give the snapshot of a tree, which holds what its name says."""
    releases.mkdir()
    digest = tree.digest(source, ("app",))
    snapshots = Snapshots(releases, ("app",), "./inv setup")
    snapshots.store(source, digest)
    assert snapshots.intact(digest)
    return releases / digest


def fill(folder: Path, name: str) -> None:
    """Make a file, a folder with a file, and a link of this name, and a link to it."""
    for kind in ("files", "folders", "links", "targets"):
        (folder / kind).mkdir(exist_ok=True)
    (folder / "files" / name).write_text("x", encoding="utf-8")
    (folder / "folders" / name).mkdir()
    (folder / "folders" / name / name).write_text("x", encoding="utf-8")
    (folder / "links" / name).symlink_to("a.py")
    (folder / "targets" / f"to {NAMES.index(name)}").symlink_to(name)


def test_names_of_any_bytes_are_part_of_the_release_as_git_has_them(source: Path, tmp_path: Path) -> None:
    for name in NAMES:
        fill(source / "app", name)
    copy = stored(source, tmp_path / "releases")
    for kind in ("files", "folders", "links"):
        assert sorted(path.name for path in (copy / "app" / kind).iterdir()) == NAMES
    assert copy.name == git_tree(source)


LINKS = {"dangling": "nowhere", "out of it": "../../../else", "absolute": "/etc/hostname", "itself": "link"}


@pytest.mark.parametrize("target", LINKS.values(), ids=LINKS)
def test_a_link_is_kept_as_it_is_and_never_followed(source: Path, tmp_path: Path, target: str) -> None:
    (source / "app/link").symlink_to(target)
    assert (stored(source, tmp_path / "releases") / "app/link").readlink() == Path(target)


def pipe(place: Path) -> None:
    os.mkfifo(place)


def listener(place: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(place))


@pytest.mark.parametrize("make", [pipe, listener])
def test_what_is_neither_file_nor_folder_is_named_whatever_its_name_holds(
    source: Path, make: Callable[[Path], None]
) -> None:
    place = source / "app" / os.fsdecode(b"\xe9\n'")
    make(place)
    with pytest.raises(BadInput, match="neither a file, a folder nor a link") as refused:
        tree.digest(source, ("app",))
    assert refused.value.message.startswith(f"{source}/app/\\xe9\\x0a'")
    assert refused.value.next_step == f"rm $'{source}/app/\\xe9\\x0a\\''"


@pytest.mark.parametrize("name", ["app/src", "app/src/a.py", "app"])
def test_what_cannot_be_read_is_named(open_place: Path, name: str) -> None:
    (open_place / "app/src").mkdir(parents=True)
    (open_place / "app/src/a.py").write_text("a", encoding="utf-8")
    (open_place / name).chmod(0)
    before = os.geteuid()
    os.seteuid(65534 if before == 0 else before)
    try:
        with pytest.raises(BadInput, match=f"{open_place}/{name}: Permission denied"):
            tree.digest(open_place, ("app",))
    finally:
        os.seteuid(before)
        (open_place / name).chmod(0o755)


def test_what_keeps_a_tree_from_being_copied_is_named(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error of a whole folder has the names inside; nobody waits for a pipe that came meanwhile."""
    digest, file = tree.digest(source, ("app",)), source / "app/src/a.py"

    def swap(*_looked_at: object) -> None:
        file.unlink()
        os.mkfifo(file)

    (tmp_path / "releases").mkdir()
    monkeypatch.setattr(modes, "require_closed", swap)
    with pytest.raises(CannotTell, match=r"a\.py.*named pipe") as failed:
        Snapshots(tmp_path / "releases", ("app",), "./inv setup").store(source, digest)
    assert str(file) in failed.value.next_step
    assert list((tmp_path / "releases").iterdir()) == []
