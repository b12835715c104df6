"""`./inv test`: what a quick run leaves out, and how a run ends that is told to."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from tasks.root import ROOT
from tests.waiting import until

HANGS = """
import os, subprocess, time
from pathlib import Path
import pytest

HERE = Path(__file__).parent

@pytest.fixture
def server():
    child = subprocess.Popen(["sleep", "600"], start_new_session=True)
    yield child
    child.kill()
    child.wait()

def test_hangs(server):
    (HERE / "new").write_text(str(server.pid))
    (HERE / "new").rename(HERE / "there")
    time.sleep(600)
"""


def test_a_quick_run_leaves_out_every_test_on_real_servers_beside_any_other_choice() -> None:
    words = ("--quick", "--collect-only", "-q", "-m", "not needs", "tests/store/test_leases.py")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    kinds = set(re.findall(r"::.*\[(file|double|server|openbao)", done.stdout))
    assert kinds == {"file", "double"}, done.stdout


def test_a_signal_to_the_run_alone_is_handed_to_the_tests_which_end_what_they_started(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(HANGS, encoding="utf-8")
    words = f"-p tests.conftest -p no:cacheprovider --rootdir {tmp_path} {tmp_path}/test_it.py"
    running = subprocess.Popen(
        [sys.executable, "-m", "invoke", "test", "--workers", "1", "--args", words],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    until((tmp_path / "there").exists)
    os.kill(running.pid, signal.SIGTERM)
    assert running.wait(30) == 128 + signal.SIGTERM
    assert not psutil.pid_exists(int((tmp_path / "there").read_text(encoding="utf-8")))
