"""This repository's own tests, checks and measurements."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from infra.model.errors import KnownBad
from infra.model.interruption import Interrupted
from infra.model.pytest_code import require_passed
from infra.model.variables import seen_by
from tasks.command import command
from tasks.root import ROOT

if TYPE_CHECKING:
    from infra.invocation import Command


WORKERS = 2
QUICK_WORKERS = 3  # a quarter of a quick run is waiting for shells and deadlines
CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy", "infra", "tasks", "finance_report", "bench", "tests"),
)


@command("test")
def test(this: Command, args: str = "", workers: int = 0, quick: bool = False) -> None:  # noqa: PT028  # a task
    """Run this repository's tests; --args goes to pytest as it is, --quick leaves real servers out."""
    many = workers or (QUICK_WORKERS if quick else WORKERS)
    split = ["-n", str(many), "--dist", "worksteal"] if many > 1 else []
    code = _run(this, "pytest", *split, *["--quick"] * quick, *shlex.split(args))
    this.outcome.facts["pytest_exit_code"] = code
    _tell(code)


def _tell(code: int) -> None:
    """Give pytest's code its meaning here: 4 is a wrong argument, a signal is a signal, the rest is bad."""
    if -code in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        raise Interrupted(-code)
    require_passed(code, "./inv test", "./inv test --args '-x -n 0'")


@command("check")
def check(this: Command) -> None:
    """Check style and types: ruff with everything on, mypy strict."""
    bad = [" ".join(words) for words in CHECKS if _run(this, *words)]
    this.outcome.facts["checks"] = [" ".join(words) for words in CHECKS]
    if bad:
        raise KnownBad(
            f"found something: {'; '.join(bad)}",
            next_step=".venv/bin/python -m ruff check --fix . && .venv/bin/python -m ruff format .",
        )


@command("bench")
def bench(this: Command, runs: int = 5) -> None:
    """Measure start-up, no-op, memory and listing against the bare programs; medians and ratios."""
    from bench import report

    os.environ.update(seen_by("repository", this.variables))  # it may build Vault, as the tests do
    report.measure(this.console, this.outcome, runs)


def _run(this: Command, module: str, *words: str) -> int:
    """Run a tool of this environment from the top of the checkout, its output on stderr.

    A signal to us alone reaches the tool's whole group: tests end what they have started.
    """
    from infra import foreground

    seen = seen_by("repository", this.variables)
    home = {**seen, "PATH": f"{Path(sys.executable).parent}:{seen.get('PATH', '')}"}
    return foreground.run([sys.executable, "-m", module, *words], ROOT, home)
