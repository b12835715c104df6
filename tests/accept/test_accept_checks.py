"""Checks that need no server: how each of them fails."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

import finance_report
from infra.accept.checks.contract import _faults
from infra.accept.checks.repository import attached, graph
from infra.accept.ground import Disproved, Ground, NotHere
from infra.accept.throwaway import Throwaway
from tests.needs import require

PROJECT = finance_report.PROJECT


def ground(root: Path, application: Path | None = None, branch: str = "main") -> Ground:
    return Ground(root, PROJECT, cast("Throwaway", None), branch, root, application)


def git(folder: Path, *words: str) -> str:
    require("git")
    own = ("-c", "user.name=a", "-c", "user.email=a@example.test", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *own, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """This repository: a commit on main, and another one beside it."""
    folder = tmp_path / "here"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "one")
    git(folder, "checkout", "--quiet", "-b", "side")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "two")
    git(folder, "checkout", "--quiet", "main")
    return folder


def application(tmp_path: Path, commit: str) -> Path:
    """An application's repository that pins this commit below repo/."""
    folder = tmp_path / "application"
    folder.mkdir()
    git(folder, "init", "--quiet")
    (folder / ".gitmodules").write_text(
        '[submodule "repo"]\n\tpath = repo\n\turl = https://example.test/x\n', encoding="utf-8"
    )
    git(folder, "add", ".gitmodules")
    git(folder, "update-index", "--add", "--cacheinfo", f"160000,{commit},repo")
    git(folder, "commit", "--quiet", "--message", "pin")
    return folder


def test_a_pinned_commit_on_the_branch_of_releases_is_attached(tmp_path: Path, here: Path) -> None:
    commit = git(here, "rev-parse", "main")
    found = attached(ground(here, application(tmp_path, commit)))
    assert (found.state, found.real) == ("ok", frozenset({"GIT"}))
    assert f"pinned to {commit}, which is on main" in found.text


def test_a_commit_beside_the_branch_is_not_attached(tmp_path: Path, here: Path) -> None:
    with pytest.raises(Disproved, match="which is not on main"):
        attached(ground(here, application(tmp_path, git(here, "rev-parse", "side"))))


def test_a_commit_that_is_not_here_is_not_attached(tmp_path: Path, here: Path) -> None:
    with pytest.raises(Disproved, match="no pinned commit"):
        attached(ground(here, application(tmp_path, "1" * 40)))


def test_an_application_without_a_submodule_is_not_attached(here: Path) -> None:
    with pytest.raises(Disproved, match="declares no submodule"):
        attached(ground(here, here))


def test_a_branch_that_is_not_here_leaves_it_open(tmp_path: Path, here: Path) -> None:
    commit = git(here, "rev-parse", "main")
    with pytest.raises(NotHere, match="knows no branch trunk"):
        attached(ground(here, application(tmp_path, commit), branch="trunk"))


def test_without_an_application_this_checkout_is_its_own_top(tmp_path: Path, here: Path) -> None:
    assert "its own top level" in attached(ground(here)).text
    (here / "below").mkdir()
    for folder in (tmp_path, here / "below"):
        with pytest.raises(Disproved, match="git's top level"):
            attached(ground(folder))
    with pytest.raises(NotHere, match="--app-dir"):
        attached(ground(here), application_needed=True)


def test_needs_that_nobody_declares_or_that_go_round_are_told(tmp_path: Path) -> None:
    postgres, *others = PROJECT.services
    lost = replace(PROJECT, services=(replace(postgres, needs=("cache",)), *others))
    with pytest.raises(Disproved, match="nothing declares: cache"):
        graph(replace(ground(tmp_path), project=lost))
    round_ = replace(PROJECT, services=(replace(postgres, needs=("app",)), *others))
    with pytest.raises(Disproved, match=r"in a circle: app, .*postgres, redis"):
        graph(replace(ground(tmp_path), project=round_))


RULES = {
    "type": "object",
    "required": ["a"],
    "additionalProperties": False,
    "properties": {
        "a": {"const": 1},
        "b": {"type": "array", "items": {"type": "string"}},
        "c": {"type": "object", "additionalProperties": {"type": "number"}},
        "d": {"enum": [0, 1]},
    },
}
BREAKS: dict[str, tuple[object, list[str]]] = {
    "nothing": ({"a": 1, "b": ["x"], "c": {"t": 0.5}, "d": 0}, []),
    "no object": ([], [" is no object"]),
    "a key too few": ({}, ["/a is missing"]),
    "a key too many": ({"a": 1, "e": 1}, ["/e is not known"]),
    "another constant": ({"a": 2}, ["/a is 2"]),
    "another type in a list": ({"a": 1, "b": [1]}, ["/b/0 is no string"]),
    "another type in a mapping": ({"a": 1, "c": {"t": "x"}}, ["/c/t is no number"]),
    "none of the values": ({"a": 1, "d": 7}, ["/d is 7"]),
}


@pytest.mark.parametrize(("value", "faults"), BREAKS.values(), ids=BREAKS)
def test_what_breaks_the_schema_is_told_by_its_place(value: object, faults: list[str]) -> None:
    assert _faults(value, RULES, "") == faults
