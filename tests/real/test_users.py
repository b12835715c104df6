"""As root with default paths, and as an ordinary user from a fresh clone: the README's first command."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.conftest import ROOT, Checkout

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
        owner = "nobody" if AS_ROOT else pwd.getpwuid(os.getuid()).pw_name
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
    listed = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (folder / "clone" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / "clone" / name)
    (folder / "home").mkdir()
    (folder / "clone/invoke.local.yaml").write_text(OTHER_PORTS, encoding="utf-8")
    if AS_ROOT:
        subprocess.run(["chown", "-R", "nobody", str(folder)], check=True)
    yield folder / "clone"
    shutil.rmtree(folder, ignore_errors=True)


def test_a_fresh_clone_of_an_ordinary_user_serves_after_one_command(clone: Path) -> None:
    """With the system's Python where we are root, since an ordinary user cannot enter root's own."""
    kept = {key: text for key, text in os.environ.items() if key.startswith(("PIP_", "SSL_", "UV_"))}
    path = "/usr/bin:/bin" if AS_ROOT else f"{Path(sys.executable).parent}:/usr/bin:/bin"
    environment = {**kept, "PATH": path, "HOME": str(clone.parent / "home"), "LANG": "C.UTF-8"}
    user = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []} if AS_ROOT else {}

    def inv(*words: str) -> subprocess.CompletedProcess[str]:
        done: subprocess.CompletedProcess[str] = subprocess.run(
            ["./inv", *words],
            cwd=clone,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            **user,  # type: ignore[call-overload]  # three options of one call
        )
        return done

    try:
        first = inv("finance_report.app.setup")
        assert first.returncode == 0, first.stderr
        assert first.stdout.startswith("http://localhost:")
        smoke = inv("smoke", "--env", "local", "--extended")
        assert smoke.returncode == 0, smoke.stderr + smoke.stdout
        assert inv("finance_report.status").returncode == 0
    finally:
        assert inv("finance_report.destroy", "--yes").returncode == 0
