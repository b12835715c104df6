"""What tests need beside Python's packages: programs, and history; what for, how to look, how to get it."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from infra import e2e
from infra.model.errors import CannotTell
from infra.model.variables import seen_by
from infra.targets import compose_cli
from infra.targets.process.programs import python_in
from infra.testing.application import Application
from infra.workspace import vault_program

ROOT = Path(__file__).resolve().parents[1]
SYSTEM_PYTHON = "/usr/bin/python3"
THE_VERSION_BEFORE = "266def21cdd9e7185993eb9e8a5cb1ce4c8164e1"


@dataclass(frozen=True, slots=True)
class Program:
    """What a program does for the tests, how to get it, and how it is looked for.

    CI has to have it, but for an optional one.
    """

    does: str
    get: str
    is_here: Callable[[], object]
    optional: bool = False


def _on_path(*names: str) -> Callable[[], bool]:
    return lambda: all(map(shutil.which, names))


def _is_told(look: Callable[[], object]) -> Callable[[], bool]:
    """Look as the product does, which raises what is missing; what a failed build said is shown."""

    def is_here() -> bool:
        try:
            look()
        except CannotTell as error:
            print(error.message, *error.evidence, sep="\n", file=sys.stderr)
            return False
        return True

    return is_here


def _browser() -> None:
    folder = ROOT / "reference_app" / e2e.FOLDER
    seen = seen_by("browser", os.environ)
    e2e.require_tools(Application(folder.parent, python_in(folder), os.environ), folder, seen)


def _vault() -> None:
    vault_program.vault_program(ROOT, os.environ)


def _system_python() -> bool:
    """Tell whether an ordinary user has a Python here: ours, or where it is root's own the system's."""
    asked = [SYSTEM_PYTHON, "-c", "import ensurepip, sys; sys.exit(sys.version_info < (3, 11))"]
    return os.getuid() != 0 or subprocess.run(asked, check=False, capture_output=True).returncode == 0


def _history() -> bool:
    """Tell whether this is a repository that holds the version before: no export, and no shallow clone."""
    asked = ["git", "cat-file", "-e", f"{THE_VERSION_BEFORE}^{{commit}}"]
    if not shutil.which(asked[0]):
        return False
    return subprocess.run(asked, check=False, cwd=ROOT, capture_output=True).returncode == 0


_SHELL = "one of the shells that scripts are tried in"
PROGRAMS = {
    "bash": Program(_SHELL, "apt-get install bash", _on_path("bash")),
    "busybox": Program(_SHELL, "apt-get install busybox", _on_path("busybox")),
    "dash": Program(_SHELL, "apt-get install dash", _on_path("dash")),
    "git": Program("makes repositories", "apt-get install git", _on_path("git")),
    "history": Program(
        f"starts the version before, {THE_VERSION_BEFORE[:12]}",
        "run the tests in a whole clone; one that is shallow takes git fetch --unshallow",
        _history,
    ),
    "openssl": Program("makes certificates", "apt-get install openssl", _on_path("openssl")),
    "chromium": Program("opens the application's pages", "apt-get install chromium", _is_told(_browser)),
    "docker compose": Program(
        "reads what is rendered, from 2.23.1 on",
        "on Debian .ci/compose.sh installs it, as root",
        lambda: compose_cli.find(os.environ),
    ),
    "python3-venv": Program(
        "makes an ordinary user's environment where root runs the tests",
        "apt-get install python3 python3-venv, of Python 3.11 or newer",
        _system_python,
    ),
    "unshare": Program("gives a test an own view", "apt-get install util-linux", _on_path("unshare")),
    "vault": Program("keeps the secrets of a rehearsal", vault_program.HOW, _is_told(_vault)),
    # Beside vault: by itself it already is the Vault of the tests.
    "bao": Program(
        "is the other server of Vault's API",
        "put OpenBao's `bao` on PATH beside a `vault`",
        _on_path("bao", "vault"),
        optional=True,
    ),
}


@functools.cache
def is_here(name: str) -> bool:
    """Tell whether this machine has a program; it is looked for once a process."""
    return bool(PROGRAMS[name].is_here())


def line(name: str) -> str:
    """Say that a program is missing, what for, and how to get it."""
    return f"{name} is missing ({PROGRAMS[name].does}): {PROGRAMS[name].get}"


def is_about_a_program(reason: str) -> bool:
    """Tell whether a test was skipped for a program of the table."""
    return reason in map(line, PROGRAMS)


def go_without(reason: str) -> NoReturn:
    """Skip the running test for what this machine cannot do; CI's machine can, so there it fails."""
    if is_ci():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def require(name: str) -> None:
    """Go on with this program; without it the running test is skipped, and on CI it fails."""
    if is_here(name):
        return
    if is_ci() and not PROGRAMS[name].optional:
        pytest.fail(line(name), pytrace=False)
    pytest.skip(line(name))


def is_ci() -> bool:
    """Tell whether this is no person's machine."""
    return os.environ.get("CI", "") not in {"", "0", "false"}
