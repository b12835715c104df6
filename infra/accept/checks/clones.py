"""Checks in clones of the throw-away checkout: whose tests have which names, and what a push starts."""

from __future__ import annotations

import sys
import time
from hashlib import sha256
from pathlib import Path

from infra.accept import git
from infra.accept.ground import Disproved, Ground, exits, require
from infra.model.acceptance import Evidence
from infra.model.errors import CannotTell

TRUE_WITHIN = 20.0
GIT = frozenset({"GIT"})


def branch_names(ground: Ground, branch: str = "") -> Evidence:
    """Prove that the tests of two clones of one branch have names apart: the branch and a hash of the folder.

    Without a branch both are on a detached head: then the names begin with `default`, and a warning is given.
    """
    with git.repository(ground) as first:
        folders = [first, git.clone(ground.trial, first, "second")]
        where = ("-b", branch) if branch else ("--detach",)
        for folder in folders:
            git.git(ground.trial, folder, "checkout", "--quiet", *where)
        done = [ground.trial.inv_in(folder, "test.names --json") for folder in folders]
        expected = [f"{branch or 'default'}_{_hash(folder)}" for folder in folders]
    for one, name in zip(done, expected, strict=True):
        found = exits(one).json["facts"]["namespace"]
        require(found == name, f"{one}: namespace {found}, not {name}")
        require(("no branch is known" in one.err) is not bool(branch), f"{one} says {one.err.strip()!r}")
    told = f"on {branch}" if branch else "on a detached head, each with a warning"
    return Evidence("ok", f"git clone; in both {done[0]} {told}: {', '.join(expected)}", GIT)


def _hash(folder: Path) -> str:
    return sha256(str(folder.resolve()).encode()).hexdigest()[:8]


def hook_pushes(ground: Ground) -> Evidence:
    """Prove that one command installs the hook, and that a push with it arrives and starts the clean-up."""
    with git.repository(ground) as first:
        bare = git.clone(ground.trial, first, "remote", "--bare")
        installed = exits(ground.trial.inv_in(first, "hooks.install --json"))
        entry = f'#!/bin/sh\nexec "{sys.executable}" -m invoke "$@"\n'  # what `inv` does after its first use
        (first / "inv").write_text(entry, encoding="utf-8")
        git.git(ground.trial, first, "commit", "--quiet", "--allow-empty", "--message", "more")
        said = _push(ground, first, bare)
        log = ground.trial.folder / "cache" / ground.project.name / "pre-push.log"
        heard = _heard(log)
    return Evidence(
        "ok", f"{installed}; git push arrived, the hook said {said!r}, and the clean-up {heard!r}", GIT
    )


def _push(ground: Ground, first: Path, bare: Path) -> str:
    try:
        _, said = git.git(ground.trial, first, "push", str(bare), "HEAD:refs/heads/it")
    except CannotTell as error:
        raise Disproved(str(error)) from error
    heads = [
        git.git(ground.trial, *one)[0] for one in ((first, "rev-parse", "HEAD"), (bare, "rev-parse", "it"))
    ]
    require(heads[0] == heads[1], f"the push did not arrive: {heads}")
    lines = [line for line in said.splitlines() if line.startswith(f"{ground.project.name}: ")]
    require(len(lines) == 1, f"the hook says {said!r}")
    return lines[0]


def _heard(log: Path) -> str:
    """Give the first line that the clean-up wrote in the background."""
    deadline = time.monotonic() + TRUE_WITHIN
    while not (log.exists() and log.read_text(encoding="utf-8").strip()):
        require(time.monotonic() < deadline, f"no clean-up wrote {log.name} within {TRUE_WITHIN:.0f} s")
        time.sleep(0.05)
    return log.read_text(encoding="utf-8").strip().splitlines()[0]
