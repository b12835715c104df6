"""Which command each step of a part is: the written one, else the usual one of the part's own tools."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from infra.model.code_step import Command, Step
from infra.model.settings import Steps


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the application as its folder shows it; `has` is what the folder has for its tools.

    Such as `tests`, `build.py`, `tool.mypy` of its pyproject.toml, or `script lint` of its package.json.
    """

    name: str
    folder: str
    is_there: bool
    has: frozenset[str] = frozenset()

    @property
    def is_node(self) -> bool:
        """True where its tools are the scripts of a package.json."""
        return "package.json" in self.has


@dataclass(frozen=True, slots=True)
class Usual:
    """A command that is run where nobody wrote another one, as far as the part has what it `needs`."""

    argv: tuple[str, ...]
    needs: str = ""


PYTHON: Mapping[Step, Usual] = {
    "lint": Usual(("python", "-m", "ruff", "check", ".")),
    "types": Usual(("python", "-m", "mypy"), "tool.mypy"),
    "format": Usual(("python", "-m", "ruff", "format", "--check", ".")),
    "fix": Usual(("python", "-m", "ruff", "format", ".")),
    "test": Usual(("python", "-m", "pytest"), "tests"),
    "build": Usual(("python", "build.py"), "build.py"),
}
_SCRIPTS: Mapping[Step, str] = {
    "lint": "lint",
    "types": "typecheck",
    "format": "format:check",
    "fix": "format",
    "test": "test",
    "build": "build",
}
NODE: Mapping[Step, Usual] = {
    step: Usual(("npm", "run", name), f"script {name}") for step, name in _SCRIPTS.items()
}


def commands(part: Part, written: Steps, steps: Iterable[Step]) -> list[Command]:
    """Give the command of each step, or why there is none.

    A part that the checkout lacks is skipped, and a failure where somebody wrote a command for it.
    """
    return [_command(part, getattr(written, step), step) for step in steps]


def _command(part: Part, written: list[str] | None, step: Step) -> Command:
    place = part.name, step, part.folder
    if written is not None and not written:
        return Command(*place, skipped="left out in the settings")
    if not part.is_there:
        words = f"the checkout has no {part.folder}"
        return Command(*place, fault=words) if written else Command(*place, skipped=words)
    if written:
        return Command(*place, tuple(written), is_written=True)
    usual = (NODE if part.is_node else PYTHON)[step]
    if usual.needs and usual.needs not in part.has:
        return Command(*place, skipped=f"{part.folder} has no {usual.needs}")
    return Command(*place, usual.argv)
