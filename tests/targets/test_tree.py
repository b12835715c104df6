"""The application's tree: one digest for one content, git's own."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from infra.model.errors import BadInput, CannotTell
from infra.targets.process import tree
from infra.targets.process.snapshots import Snapshots

AGAIN = "./inv shop.app.setup --env staging"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = tmp_path / "source"
    for name in ("app/src/a.py", "app/src.py", "app/src-x", "app/ümlaut", "web/index.html"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name, encoding="utf-8")
    (root / "web/run").write_text("#!/bin/sh\n", encoding="utf-8")
    (root / "web/run").chmod(0o755)
    (root / "web/link").symlink_to("index.html")
    return root


def git_tree(root: Path) -> str:
    environment = {"PATH": os.environ["PATH"], "HOME": str(root)}

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, env=environment)
        return done.stdout.decode().strip()

    git("init", "-q")
    git("add", "-A")
    return git("write-tree")


@pytest.mark.needs("git")
def test_the_digest_is_the_one_that_git_gives(source: Path) -> None:
    assert tree.digest(source, ("app", "web")) == git_tree(source)


@pytest.mark.parametrize("change", ["content", "mode", "name", "link"])
def test_every_change_that_matters_changes_the_digest(source: Path, change: str) -> None:
    before = tree.digest(source, ("app", "web"))
    if change == "content":
        (source / "app/src.py").write_text("other", encoding="utf-8")
    elif change == "mode":
        (source / "web/run").chmod(0o644)
    elif change == "name":
        (source / "app/src.py").rename(source / "app/srd.py")
    else:
        (source / "web/link").unlink()
        (source / "web/link").symlink_to("run")
    assert tree.digest(source, ("app", "web")) != before


@pytest.mark.parametrize(
    "name", [".env", ".env.local", "node_modules/x.js", "__pycache__/a.pyc", ".git/HEAD"]
)
def test_caches_dependencies_and_private_files_are_no_part_of_a_release(source: Path, name: str) -> None:
    before = tree.digest(source, ("app", "web"))
    (source / "app" / name).parent.mkdir(parents=True, exist_ok=True)
    (source / "app" / name).write_text("x", encoding="utf-8")
    assert tree.digest(source, ("app", "web")) == before


def test_a_missing_folder_and_a_pipe_are_named(source: Path) -> None:
    with pytest.raises(BadInput, match="no such folder"):
        tree.digest(source, ("nowhere",))
    os.mkfifo(source / "app/pipe")
    with pytest.raises(BadInput, match="neither a file"):
        tree.digest(source, ("app",))


def test_a_snapshot_holds_the_tree_and_links_its_dependencies(source: Path, tmp_path: Path) -> None:
    (source / "web/node_modules").mkdir()
    (source / "app/.env").write_text("PASSWORD=x", encoding="utf-8")
    snapshots = Snapshots(tmp_path / "releases", ("app", "web"), AGAIN)
    (tmp_path / "releases").mkdir()
    digest = tree.digest(source, ("app", "web"))
    snapshots.store(source, digest)
    copy = tmp_path / "releases" / digest
    assert snapshots.intact(digest)
    assert (copy / "web/node_modules").readlink() == source / "web/node_modules"
    assert not (copy / "app/.env").exists()
    (copy / "app/src.py").write_text("changed by hand", encoding="utf-8")
    assert not snapshots.intact(digest)


def test_a_tree_that_moves_while_it_is_copied_is_not_stored(source: Path, tmp_path: Path) -> None:
    (tmp_path / "releases").mkdir()
    snapshots = Snapshots(tmp_path / "releases", ("app", "web"), AGAIN)
    with pytest.raises(CannotTell, match="changed while it was copied") as moved:
        snapshots.store(source, "0" * 40)
    assert moved.value.next_step == AGAIN
    assert list((tmp_path / "releases").iterdir()) == []


def test_ten_snapshots_are_kept_and_those_that_are_needed(tmp_path: Path) -> None:
    folder = tmp_path / "releases"
    for number in range(13):
        (folder / f"{number:040x}").mkdir(parents=True)
        os.utime(folder / f"{number:040x}", (number, number))
    (folder / ".new-1").mkdir()
    Snapshots(folder, (), AGAIN).prune([f"{0:040x}"])
    assert sorted(path.name for path in folder.iterdir()) == [f"{n:040x}" for n in (0, *range(3, 13))]


def test_where_the_clock_was_set_back_every_snapshot_stays(tmp_path: Path) -> None:
    """Those stored since seem older than all before."""
    folder, ahead = tmp_path / "releases", time.time() + 86_400
    for number in range(13):
        made = folder / f"{number:040x}"
        made.mkdir(parents=True)
        os.utime(made, (ahead, ahead if number < 11 else number))
    (folder / ".new-1").mkdir()
    Snapshots(folder, (), AGAIN).prune([])
    assert sorted(path.name for path in folder.iterdir()) == [f"{number:040x}" for number in range(13)]
