"""What git says of a checkout. Without git, or where it takes too long, the answer is None."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.model.errors import CannotTell, MissingProgram
from infra.model.variables import seen_by

ANSWERS_WITHIN = 5.0
INSTALL = "sudo apt-get install git (Debian, Ubuntu), sudo dnf install git (Fedora), brew install git (macOS)"


def branch(top: Path, variables: Mapping[str, str]) -> str | None:
    """Give the branch of the work tree at this folder; None on a detached head and outside git."""
    if not (top / ".git").exists():
        return None
    return ask(top, variables, "branch", "--show-current") or None


def ask(top: Path, variables: Mapping[str, str], *words: str) -> str | None:
    """Give what git answers in this folder, without the line's end; None when it fails or takes over 5 s."""
    try:
        done = _run(top, variables, words)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.rstrip("\n") if done.returncode == 0 else None


def require(top: Path, variables: Mapping[str, str], *words: str) -> str:
    """Give what git answers in this folder; MissingProgram without git, CannotTell when it refuses."""
    try:
        done = _run(top, variables, words)
    except FileNotFoundError:
        raise MissingProgram("git is not on PATH", next_step=INSTALL) from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotTell(f"git gives no answer in {top}: {error}", next_step=f"git -C {top} status") from None
    if done.returncode == 0:
        return done.stdout.rstrip("\n")
    said = tuple(line.strip() for line in done.stderr.splitlines() if line.strip())
    if "dubious ownership" in done.stderr:
        command = f"git config --global --add safe.directory {top}"
        raise CannotTell(f"git does not trust {top}: another user owns it", next_step=command, evidence=said)
    if "not a git repository" in done.stderr:
        raise CannotTell(f"{top} is no git repository", next_step=f"git -C {top} init")
    raise CannotTell(f"git refuses in {top}", next_step=f"git -C {top} status", evidence=said)


def _run(top: Path, variables: Mapping[str, str], words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run git as its own messages are known; what tells hooks about another repository is not passed on."""
    return subprocess.run(
        ["git", "-C", str(top), *words],
        check=False,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        stdin=subprocess.DEVNULL,
        timeout=ANSWERS_WITHIN,
        env={**seen_by("git", variables), "LC_ALL": "C"},
    )
