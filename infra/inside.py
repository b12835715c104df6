"""Commands in the application's own environment: from its checkout, with the secrets that its unit reads."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from infra.dev.seat import Seat
from infra.model import json_text
from infra.model.errors import CannotTell, Unreachable
from infra.targets.process.entry import with_secrets

STDERR: Final = 2


@dataclass(frozen=True, slots=True)
class Done:
    """A command that ended: its exit code, under zero for a signal, and what it printed to stdout."""

    code: int
    out: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object that its last line is; CannotTell when it is none."""
        try:
            found = json_text.parse((self.out.strip().splitlines() or [""])[-1])
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise CannotTell(f"the application's process ended with code {self.code} and gave no answer")
        return found


def run(place: Seat, *words: str, variables: Mapping[str, str] | None = None) -> Done:
    """Give how a command of the application's Python ended; what it prints to stderr is passed on.

    Unreachable where the secrets of this environment were never rendered here.
    """
    unit = place.unit().beside
    environment = {**place.session.passed.values, **dict(unit.environment), **(variables or {})}
    file = environment.get("INFRA_SECRETS_FILE", "")
    if file and not Path(file).exists():
        raise Unreachable("the application's secrets are not rendered here", next_step="./inv dev.infra")
    start = [environment["INFRA_PYTHON"], *words]
    done = subprocess.run(
        with_secrets(*start) if file else start,
        check=False,
        cwd=unit.directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=STDERR,
        text=True,
        errors="replace",
    )
    return Done(done.returncode, done.stdout)
