"""What git says of a checkout. Without git, or where it takes too long, the answer is None."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

ANSWERS_WITHIN = 5.0


def branch(top: Path, variables: Mapping[str, str]) -> str | None:
    """Give the branch of the work tree at this folder; None on a detached head and outside git."""
    if not (top / ".git").exists():
        return None
    return ask(top, variables, "branch", "--show-current") or None


def ask(top: Path, variables: Mapping[str, str], *words: str) -> str | None:
    """Give what git answers in this folder, without the line's end; None when it fails or takes over 5 s.

    Variables by which git tells its hooks about another repository are not passed on.
    """
    kept = {name: text for name, text in variables.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "-C", str(top), *words],
            check=False,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            stdin=subprocess.DEVNULL,
            timeout=ANSWERS_WITHIN,
            env=kept,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.rstrip("\n") if done.returncode == 0 else None
