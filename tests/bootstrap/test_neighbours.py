"""./inv runs nothing that somebody else has put in its place, or could."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bootstrap.clone import Clone
from tests.neighbour import NEIGHBOUR, needs_root

PARTS = (".", "inv", ".venv", ".venv/bin", ".venv/bin/python", ".venv/installed")


@pytest.fixture
def clone() -> Iterator[Clone]:
    """A clone that was used before, where other users can go."""
    with tempfile.TemporaryDirectory(prefix="clone-") as name:
        Path(name).chmod(0o755)
        made = Clone(Path(name))
        assert made.inv("smoke").code == 0
        made.calls()
        yield made


def is_refused(clone: Clone, words: str) -> str:
    """Give the line that mends it."""
    answer = clone.inv("smoke")
    assert (answer.code, answer.out, clone.calls()) == (2, "", []), answer.err
    assert answer.err.startswith(f"✗ {words}"), answer.err
    return answer.err.splitlines()[1].removeprefix("→ look at it, then ").removeprefix("→ ")


@needs_root
@pytest.mark.parametrize("name", [*PARTS[2:], ".venv.lock"])
def test_a_part_of_somebody_else_is_named_and_not_run(clone: Clone, name: str) -> None:
    path = clone.root / name
    if name == ".venv.lock":
        path.mkdir()
    os.chown(path, NEIGHBOUR, NEIGHBOUR)
    line = is_refused(clone, f"{path} belongs to uid {NEIGHBOUR}, and what lies there runs next\n")
    assert line == f"chown -R 0 {clone.root}"


@needs_root
def test_a_folder_that_somebody_else_made_for_the_clone_is_named(clone: Clone) -> None:
    os.chown(clone.root, NEIGHBOUR, NEIGHBOUR)
    is_refused(clone, f"{clone.root} belongs to uid {NEIGHBOUR}")


@needs_root
def test_who_owns_the_script_has_been_believed_by_then(clone: Clone) -> None:
    """As root in a folder that a container was given, and by sudo in one's own."""
    subprocess.run(["chown", "-R", str(NEIGHBOUR), str(clone.root)], check=True)
    assert clone.inv("smoke").code == 0


@pytest.mark.parametrize("name", PARTS)
def test_a_part_that_anybody_can_write_is_named_until_it_is_mended(clone: Clone, name: str) -> None:
    path = clone.root / name
    path.chmod(0o777)
    line = is_refused(clone, f"others can write {path if name != '.' else clone.root}, and what lies there")
    assert line == f"chmod -R go-w {clone.root}"
    subprocess.run(["chmod", "-R", "go-w", str(clone.root)], check=True)
    assert clone.inv("smoke").code == 0


def test_a_folder_above_that_anybody_can_write_is_only_named_unless_it_is_sticky(clone: Clone) -> None:
    """Who could swap the checkout could swap what looks at it; and some runners of CI have no other place."""
    clone.world.chmod(0o1777)
    assert clone.inv("smoke").err == ""
    clone.world.chmod(0o777)
    answer = clone.inv("smoke")
    said = f"inv: others can write {clone.world}, and could swap {clone.root}: chmod go-w {clone.world}, or "
    assert (answer.code, answer.err.startswith(said)) == (0, True)


def test_a_folder_above_that_lets_nobody_pass_keeps_all_below_it_ours(clone: Clone) -> None:
    (clone.root / ".venv").chmod(0o777)
    clone.root.chmod(0o777)
    clone.world.chmod(0o700)
    assert clone.inv("smoke").code == 0


@pytest.mark.parametrize(("gid", "is_fine"), [(54_321, True), (1, False)])
@needs_root
def test_a_group_counts_when_it_has_somebody_in_it(clone: Clone, gid: int, is_fine: bool) -> None:
    """Group 1 is the primary one of daemon, on every Linux; nobody has the other."""
    path = clone.root / ".venv"
    os.chown(path, -1, gid)
    path.chmod(0o775)
    if is_fine:
        assert clone.inv("smoke").code == 0
    else:
        is_refused(clone, f"others can write {path}, and what lies there runs next\n")


@needs_root
def test_a_python_of_somebody_else_on_path_is_passed_over_and_said_once(clone: Clone) -> None:
    subprocess.run(["rm", "-r", str(clone.root / ".venv")], check=True)
    (clone.bin / "python3.12").symlink_to((clone.bin / "python3").rename(clone.world / "python"))
    clone.program("python3", f"#!/bin/sh\necho >'{clone.world}/never'\n")
    os.chown(clone.bin / "python3", NEIGHBOUR, NEIGHBOUR)
    answer = clone.inv("smoke")
    assert (answer.code, (clone.world / "never").exists()) == (0, False)
    assert answer.err.count(f"passing over {clone.bin}/python3, which belongs to somebody else") == 1
