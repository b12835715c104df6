"""Real commands where a neighbour was first: refused by name, nothing run, nothing written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.root import ROOT
from tests import neighbour
from tests.needs import go_without
from tests.neighbour import NEIGHBOUR, needs_root

KINDS = ("XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR")
COMMANDS = {
    "setup": ("finance_report.setup", "--env", "local"),
    "plan": ("finance_report.plan", "--env", "local"),
    "down": ("finance_report.down", "--env", "local"),
    "doctor": ("doctor", "--env", "local"),
    "vault.dev": ("vault.dev", "--env", "staging"),
}
MEMORY = Path("/dev/shm")  # where a folder for a test is made
PLANT = """
mkdir -p "$1/finance_report/templates" "$1/bin" && cd "$1"
printf '#!/bin/sh\\ntouch "%s/ran"\\n' "$1" >bin/vault
chmod 755 bin/vault
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A place of ours where everybody can go, in memory where there is some."""
    folder = Path(tempfile.mkdtemp(prefix="place-", dir=MEMORY if MEMORY.is_dir() else None))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def command(place: Path, words: tuple[str, ...], **more: str) -> subprocess.CompletedProcess[str]:
    own = {name: str(place / name) for name in ("HOME", *KINDS)}
    for folder in own.values():
        Path(folder).mkdir(exist_ok=True)
        Path(folder).chmod(0o755)
    return subprocess.run(
        [sys.executable, "-m", "invoke", *words],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **own, **more},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def state_of(folder: Path) -> dict[str, tuple[int, float]]:
    found = {path: path.lstat() for path in (folder, *folder.rglob("*"))}
    return {str(path): (one.st_uid, one.st_mtime) for path, one in found.items()}


def planted(place: Path) -> Path:
    """A folder for all where the neighbour was first."""
    shared = place / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    done = neighbour.run("sh", "-eu", "-c", PLANT, "sh", str(shared))
    assert done.returncode == 0, done.stderr
    return shared


@needs_root
@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("kind", KINDS[:3])
def test_what_a_neighbour_was_first_to_make_is_not_used(place: Path, kind: str, name: str) -> None:
    shared = planted(place)
    before = state_of(shared)
    done = command(place, COMMANDS[name], **{kind: str(shared)})
    assert done.returncode == 2, done.stdout + done.stderr
    assert (
        f"✗ {shared}/finance_report belongs to uid {NEIGHBOUR}, and what lies there is used next"
        in done.stderr
    )
    assert f"→ look at it, then chown -R 0 {shared}/finance_report\n" in done.stderr
    assert f"or use another place: unset {kind}" in done.stderr
    assert state_of(shared) == before


@pytest.mark.parametrize("name", ["setup", "plan", "vault.dev"])
@pytest.mark.parametrize("kind", KINDS)
def test_where_anybody_could_swap_our_folder_it_is_not_made(place: Path, kind: str, name: str) -> None:
    if kind == "XDG_RUNTIME_DIR" and not place.is_relative_to(MEMORY):
        go_without("there is no folder in memory")
    shared = place / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    done = command(place, COMMANDS[name], **{kind: str(shared)})
    assert done.returncode == 2, done.stdout + done.stderr
    assert f"✗ others can write {shared}, and could swap {shared}/finance_report" in done.stderr
    assert f"→ chmod go-w {shared}\n" in done.stderr
    assert not list(shared.iterdir())


@needs_root
def test_a_vault_of_a_neighbour_on_path_is_not_run(place: Path) -> None:
    shared = planted(place)
    done = command(place, COMMANDS["vault.dev"], PATH=f"{shared}/bin:{os.environ['PATH']}")
    assert done.returncode == 2, done.stdout + done.stderr
    assert f"✗ {shared}/bin belongs to uid {NEIGHBOUR}, who could swap {shared}/bin/vault" in done.stderr
    assert "→ put another vault first on PATH\n" in done.stderr
    assert not (shared / "ran").exists()


@needs_root
def test_render_writes_through_no_link_of_a_neighbour(place: Path) -> None:
    shared = planted(place)
    kept = place / "kept/app"
    kept.mkdir(parents=True)
    (kept / "compose.yaml").write_text("kept", encoding="utf-8")
    (shared / "out").mkdir()
    (shared / "out").chmod(0o777)
    assert neighbour.run("ln", "-s", str(place / "kept"), str(shared / "out/staging")).returncode == 0
    done = command(place, ("finance_report.render", "--env", "staging", "--out", str(shared / "out")))
    assert done.returncode == 2, done.stdout + done.stderr
    assert f"{shared}/out/staging belongs to uid {NEIGHBOUR} and is a link: nothing is written" in done.stderr
    assert (kept / "compose.yaml").read_text(encoding="utf-8") == "kept"


@pytest.mark.needs("git")
@pytest.mark.parametrize("kind", ["XDG_DATA_HOME", "XDG_STATE_HOME"])
def test_no_secret_is_made_in_a_work_tree_of_any_kind(place: Path, kind: str) -> None:
    top = place / "application"
    subprocess.run(["git", "init", "-q", str(top)], check=True)
    done = command(place, COMMANDS["setup"], **{kind: str(top / "share")})
    assert done.returncode == 2, done.stdout + done.stderr
    assert f"never kept inside of a checkout: {top}/share/" in done.stderr
    assert {one.name for one in top.iterdir()} <= {".git", "share"}
    assert not list((top / "share").rglob("*.json"))
