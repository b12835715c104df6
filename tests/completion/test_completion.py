"""Completion in the shells that are here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.neighbour import NEIGHBOUR, needs_root

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.needs("bash")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone whose .venv is the environment of this test."""
    for name in ("tasks", "infra", "finance_report"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "inv", tmp_path / "inv")
    shutil.copy(ROOT / "invoke.yaml", tmp_path / "invoke.yaml")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


def completed(clone: Path, *words: str) -> set[str]:
    script = """
    source "$1"; shift
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
    _inv
    printf '%s\\n' "${COMPREPLY[@]}"
    """
    argv = ["bash", "-c", script, "bash", str(ROOT / "completion/inv.bash"), "./inv", *words]
    done = subprocess.run(argv, cwd=clone, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_task_names_are_completed_as_people_type_them(clone: Path) -> None:
    assert completed(clone, "finance_report.app.s") == {
        "finance_report.app.setup",
        "finance_report.app.status",
    }


def test_flags_of_a_task_are_completed(clone: Path) -> None:
    assert completed(clone, "finance_report.app.setup", "--fo") == {"--force"}


def test_completing_on_a_fresh_clone_installs_nothing(clone: Path) -> None:
    (clone / ".venv").unlink()
    assert completed(clone, "te") == set()
    assert not (clone / ".venv").exists()


@needs_root
@pytest.mark.parametrize("name", [".", "inv", "tasks", ".venv"])
def test_completing_in_a_folder_of_somebody_else_starts_nothing_of_his(clone: Path, name: str) -> None:
    os.chown(clone / name, NEIGHBOUR, -1, follow_symlinks=False)
    assert completed(clone, "te") == set()


def test_completing_where_anybody_can_write_starts_nothing(clone: Path) -> None:
    assert completed(clone, "te")
    clone.chmod(0o777)
    assert completed(clone, "te") == set()
