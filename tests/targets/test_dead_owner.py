"""The lock file of a database server that was killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from infra.targets.process.database import forget_dead_owner


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "postmaster.pid"


def test_one_that_was_killed_and_not_reaped_is_no_owner_any_more(lock: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE
    lock.write_text(f"{child.pid}\n/data\n", encoding="ascii")
    forget_dead_owner(lock.parent)
    assert not lock.exists()
    child.wait(10)


@pytest.mark.parametrize("text", ["mine\n", "", "no number\n", "999999999\n"])
def test_the_file_of_a_living_server_and_one_that_says_nothing_are_left_to_postgresql(
    lock: Path, text: str
) -> None:
    text = text.replace("mine", str(os.getpid()))
    lock.write_text(text, encoding="ascii")
    forget_dead_owner(lock.parent)
    assert lock.read_text(encoding="ascii") == text
    forget_dead_owner(lock.parent / "nowhere")
