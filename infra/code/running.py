"""Runs one command of a part, with the tools of the part's own interpreter."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from infra import foreground
from infra.code.checkout import Checkout
from infra.model.code_step import Command as CodeCommand
from infra.model.code_step import Row
from infra.model.variables import seen_by
from infra.targets.process import programs
from infra.testing.application import Application

INSTALLERS = frozenset({"bun", "go", "npm", "npx", "pip", "pnpm", "uv", "uvx", "yarn"})


def run(place: Checkout, command: CodeCommand, words: Mapping[str, str] | None = None) -> Row:
    """Give what became of a command, which is run in its part's folder.

    `words` stand for what the command names with a `$`.
    """
    folder = place.source / command.folder
    argv = [_filled(word, words or {}) for word in command.argv]
    place.this.console.line(f"— {command.part} {command.step}: {' '.join(argv)}")
    python = programs.python_in(folder)
    missing = _missing(place, argv, python, folder)
    if missing:
        return Row(command.part, command.step, "failed" if command.is_written else "unknown", missing)
    argv[0] = python if argv[0] == "python" else argv[0]
    began = time.monotonic()
    code = foreground.run(argv, folder, _variables(place, argv[0], python))
    seconds = round(time.monotonic() - began, 3)
    return Row(
        command.part, command.step, "failed" if code else "ok", f"exit {code}" if code else "", seconds
    )


def _filled(word: str, words: Mapping[str, str]) -> str:
    for name, value in words.items():
        word = word.replace(name, value)
    return word


def _missing(place: Checkout, argv: Sequence[str], python: str, folder: Path) -> str:
    """Give what has to be installed before a command can run, empty when nothing has to be."""
    if argv[0] != "python":
        path = _variables(place, argv[0], python)["PATH"]
        found = (folder / argv[0]).is_file() or shutil.which(argv[0], path=path)
        return "" if found else f"{argv[0]} is not installed"
    module = argv[2].partition(".")[0] if argv[1:2] == ["-m"] and len(argv) > 2 else ""
    if not module or (folder / module).exists() or (folder / f"{module}.py").exists():
        return ""
    has = Application(place.source, python, place.this.variables).installed(module)
    return "" if has else f"{python} has no {module}"


def _variables(place: Checkout, program: str, python: str) -> dict[str, str]:
    """Give what a command sees: what its application may and, where it installs, what an installer may.

    The tools of its interpreter come first.
    """
    person = place.this.variables
    installs = seen_by("installer", person) if Path(program).name in INSTALLERS else {}
    path = os.pathsep.join((str(Path(python).parent), person.get("PATH", os.defpath)))
    return {**installs, **seen_by("application", person), **place.passed.values, "PATH": path}
