"""Commands take nothing from the caller's umask, and run from no checkout that others can write."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.invocation import Command
from tasks import conduct as module
from tasks.root import ROOT
from tests.bootstrap.clone import Clone


@pytest.fixture
def place() -> Iterator[Path]:
    """A checkout's few names in a folder that other users can enter."""
    with tempfile.TemporaryDirectory(prefix="checkout-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for below in ("infra", "tasks", "finance_report", "templates", ".venv/bin", ".venv/lib"):
            (folder / below).mkdir(parents=True)
        for file in ("inv", "invoke.yaml"):
            (folder / file).write_text("x", encoding="utf-8")
        for path in folder.rglob("*"):
            path.chmod(0o755)
        yield folder


def run(place: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, list[str]]:
    """Give the exit code of a command in a checkout, and what it did."""
    done: list[str] = []

    def body(_this: Command) -> None:
        done.append("ran")

    monkeypatch.setattr(module, "ROOT", place)
    return module.conduct("x", body, {}), done


@pytest.mark.parametrize("name", module.RUNS_FROM)
def test_a_checkout_that_others_can_write_runs_nothing(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert run(place, monkeypatch) == (0, ["ran"])
    if (place / name).exists():
        (place / name).chmod(0o777)
    else:
        (place / name).touch()
        (place / name).chmod(0o666)
    assert run(place, monkeypatch) == (2, [])
    said = capsys.readouterr().err
    assert f"others can write {place / name}, and what lies there runs next" in said
    assert f"→ look at it, then chmod -R go-w {place}\n" in said
    subprocess.run(["chmod", "-R", "go-w", str(place)], check=True)
    assert run(place, monkeypatch) == (0, ["ran"])


@pytest.mark.parametrize("umask", [0o000, 0o077], ids="{:03o}".format)
def test_a_command_writes_in_its_own_modes(tmp_path: Path, umask: int) -> None:
    words = ["finance_report.redis.render", "--env", "staging", "--out", str(tmp_path / "out/here")]
    done = subprocess.run(
        [sys.executable, "-m", "invoke", *words],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
        umask=umask,
    )
    assert done.returncode == 0, done.stderr
    found = {path.relative_to(tmp_path): path for path in tmp_path.rglob("*")}
    wrong = {
        str(name): f"{path.stat().st_mode & 0o777:o}"
        for name, path in found.items()
        if path.stat().st_mode & 0o777 not in ({0o755, 0o700} if path.is_dir() else {0o644})
    }
    assert wrong == {}
    assert len(found) > 8, "rendered files, templates and stamps"


@pytest.mark.parametrize("umask", [0o000, 0o077], ids="{:03o}".format)
def test_what_inv_installs_is_nobody_elses_to_write(clone: Clone, umask: int) -> None:
    before = os.umask(umask)
    try:
        assert clone.inv("smoke").code == 0
    finally:
        os.umask(before)
    made = [clone.root / ".venv", *(clone.root / ".venv").rglob("*")]
    assert {f"{path.stat().st_mode & 0o777:o}" for path in made} == {"755", "644"}


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """A fresh clone on a machine with Python and pip."""
    return Clone(tmp_path)
