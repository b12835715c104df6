"""A repository of the throw-away checkout: real git, real commits, clones and work trees beside it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.accept.ground import Ground, NotHere
from infra.accept.throwaway import Throwaway
from infra.model.errors import CannotTell

ENDS_WITHIN = 30
PERSON = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "acceptance",
    "GIT_AUTHOR_EMAIL": "acceptance@example.test",
    "GIT_COMMITTER_NAME": "acceptance",
    "GIT_COMMITTER_EMAIL": "acceptance@example.test",
}


@contextmanager
def repository(ground: Ground) -> Iterator[Path]:
    """Give a copy of the tree as a repository with one commit on main; clones and work trees go with it."""
    place = ground.trial.folder / "repositories"
    place.mkdir()
    place.chmod(0o755)
    try:
        first = ground.trial.another("repositories/first")
        git(ground.trial, first, "init", "--quiet", "--initial-branch", "main")
        git(ground.trial, first, "add", "--all")
        git(ground.trial, first, "commit", "--quiet", "--message", "the tree")
        yield first
    finally:
        shutil.rmtree(place, ignore_errors=True)


def worktree(trial: Throwaway, first: Path, branch: str) -> Path:
    """Give a linked work tree of a new branch, with settings of its own."""
    tree = first.with_name(branch.replace("/", "-"))
    git(trial, first, "worktree", "add", "--quiet", "-b", branch, str(tree))
    trial.settle(tree)
    return tree


def clone(trial: Throwaway, first: Path, name: str, *words: str) -> Path:
    """Give a clone of a repository under another name beside it."""
    git(trial, first.parent, "clone", "--quiet", *words, str(first), name)
    return first.with_name(name)


def git(trial: Throwaway, folder: Path, *words: str) -> tuple[str, str]:
    """Give what git says on stdout and stderr; CannotTell when it fails, NotHere where there is none."""
    if shutil.which("git") is None:
        raise NotHere("git is not on PATH")
    done = subprocess.run(
        ["git", *words],
        cwd=folder,
        env={**trial.variables, **PERSON},
        capture_output=True,
        text=True,
        check=False,
        timeout=ENDS_WITHIN,
    )
    if done.returncode:
        raise CannotTell(f"git {words[0]}: exit {done.returncode}: {done.stderr.strip()[-200:]}")
    return done.stdout.strip(), done.stderr
