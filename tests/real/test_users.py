"""As root with default paths, and as a stranger from a fresh clone: the README's two commands."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.real.conftest import ROOT, Checkout, Done

pytestmark = pytest.mark.real
AS_ROOT = os.getuid() == 0
# Written, because these two know nothing of the ports that the other tests of this run choose meanwhile.
PORTS = "ports: {router: 23000, backend: 28000, frontend: 23001, postgres: 25432, redis: 26379}\n"
OTHER_PORTS = PORTS.replace(": 2", ": 1")


def test_with_default_paths_everything_lies_where_its_user_can_enter(checkout: Checkout) -> None:
    """As root that is below /var/lib, as anybody else below the home folder."""
    checkout.settings(PORTS)
    more = {"XDG_STATE_HOME": "", "XDG_DATA_HOME": ""}
    done = checkout.run("finance_report.app.setup", **more)
    try:
        assert done.code == 0, done.err
        home = Path("/var/lib") if AS_ROOT else checkout.home / ".local/state"
        state = home / "finance_report" / checkout.home_of_state.name / "local"
        assert (state / "data/postgres/pgdata/PG_VERSION").exists()
        owner = "finance_report_postgres" if AS_ROOT else pwd.getpwuid(os.getuid()).pw_name
        assert (state / "data/postgres").owner() == owner
        store = checkout.home / f".local/share/finance_report/secrets/{state.parent.name}/local.json"
        assert (store.stat().st_mode & 0o777, store.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    finally:
        assert checkout.run("finance_report.destroy", "--yes", **more).code == 0
        shutil.rmtree(state.parent)


@pytest.mark.skipif(not AS_ROOT, reason="only root is kept out by its own folders")
def test_a_folder_that_the_database_user_cannot_enter_is_named(checkout: Checkout) -> None:
    closed = checkout.folder / "closed"
    closed.mkdir(mode=0o700)
    done = checkout.run("finance_report.app.setup", XDG_STATE_HOME=str(closed / "state"))
    assert done.code == 2
    assert f"cannot enter {closed}" in done.err
    assert f"chmod o+x {closed}" in done.err


@pytest.fixture
def clone() -> Iterator[Path]:
    """A fresh clone that belongs to an ordinary user, with the tree as it stands here."""
    folder = Path(tempfile.mkdtemp(prefix="clone-"))
    folder.chmod(0o755)
    clone = folder / "clone"
    subprocess.run(["git", "clone", "--quiet", "--no-checkout", str(ROOT), str(clone)], check=True)
    listed = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, clone / name)
    subprocess.run(["git", "reset", "--quiet"], cwd=clone, check=True)
    (folder / "home").mkdir()
    (clone / "invoke.local.yaml").write_text(OTHER_PORTS, encoding="utf-8")
    if AS_ROOT:
        subprocess.run(["chown", "-R", "nobody", str(folder)], check=True)
    yield clone
    shutil.rmtree(folder, ignore_errors=True)


def as_a_stranger(clone: Path, *words: str) -> Done:
    """Run ./inv as an ordinary user whose shell holds HOME and PATH alone: no cache, no wish, no uv.

    With the system's Python where we are root, since an ordinary user cannot enter root's own. Where packages
    come from has to stand in the system's own files.
    """
    path = "/usr/bin:/bin" if AS_ROOT else f"{sys.base_prefix}/bin:/usr/bin:/bin"
    user = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []} if AS_ROOT else {}
    done: subprocess.CompletedProcess[str] = subprocess.run(
        ["./inv", *words],
        cwd=clone,
        env={"HOME": str(clone.parent / "home"), "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        **user,  # type: ignore[call-overload]  # three options of one call
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.mark.needs("git", "python3-venv")
def test_both_commands_of_the_readme_bring_a_stranger_all_that_they_need(
    clone: Path, record_property: Callable[[str, object], None]
) -> None:
    """The second one with a few fast tests: what counts is that they can run."""

    def succeeds(*words: str) -> str:
        began = time.monotonic()
        done = as_a_stranger(clone, *words)
        assert done.code == 0, done.err + done.out
        installed = [line for line in done.err.splitlines() if line.startswith("inv: ")]
        line = f"./inv {' '.join(words)}: good after {time.monotonic() - began:.0f} s"
        record_property("told", "; ".join([f"a stranger's {line}", *installed]))
        return done.out + done.err

    try:
        assert succeeds("finance_report.app.setup").startswith("http://127.0.0.1:")
        succeeds("smoke", "--env", "local", "--extended")
        succeeds("finance_report.status")
    finally:
        succeeds("finance_report.destroy", "--yes")
    few = f"--basetemp={clone.parent / 'tests'} tests/bootstrap/test_first_use.py"
    assert " passed in " in succeeds("test", "--args", few)
