"""The bars of the local stack, measured in one run: medians and ratios, warm caches."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from bench import agent, reload, tokens, vault
from bench.checkout import ROOT, SETUP, Checkout, Start
from infra.model.variables import seen_by

if TYPE_CHECKING:
    from infra.console import Console
    from infra.model.verdict import Outcome

ONE_TASK = """from invoke import task
@task
def hello(context):
    print("hello")
"""
HEADER = ("measure", "median", "least", "most", "bar", "holds")
Row = tuple[str, ...]


def measure(console: Console, outcome: Outcome, runs: int) -> None:
    """Print the table, and put it into the outcome's facts. Nothing here fails a test."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    folder.chmod(0o711)
    checkout = Checkout(folder / "copy")
    (folder / "copy").chmod(0o711)
    try:
        with console.stage("prepare") as stage:
            _bare(folder, "prepare")
            _bare(folder, "run")
            checkout.run(SETUP)
            stage.say("one start of each, not counted")
        with console.stage("measure") as stage:
            rows = _rows(checkout, folder, runs, stage.wait)
    finally:
        checkout.run("finance_report.destroy", "--yes")
        shutil.rmtree(folder, ignore_errors=True)
    console.table([HEADER, *rows])
    outcome.facts["bench"] = [dict(zip(HEADER, row, strict=True)) for row in rows]


def _rows(checkout: Checkout, folder: Path, runs: int, tell: Callable[[str], None]) -> list[Row]:
    bare, starts = _pairs(checkout, folder, runs, tell)
    noops = [checkout.run(SETUP) for _ in range(runs)]
    supervisor = checkout.supervisor_mib()
    lists, ones = _listings(checkout, folder, runs)
    drawn = [checkout.run("finance_report.app.plan", "--env", "staging", code=2) for _ in range(runs + 1)][1:]
    papers = [_paper() for _ in range(runs + 1)][1:]
    tell("hot reload")
    reloads = reload.seconds(checkout, runs)
    tell("setup-tokens")
    given = tokens.runs(2)
    tell("leak check")
    leaks = [checkout.run("leaks.check") for _ in range(runs + 1)][1:]
    gates = [start.gate for start in starts]
    return [
        _row("bare start [s]", bare),
        _row("setup from stopped to gate [s]", gates),
        _row("  ratio to bare", [gate / one for gate, one in zip(gates, bare, strict=True)], 2.2),
        _row("first routed 200 to gate [s]", [start.gate - start.first_200 for start in starts], 0.3),
        _row("no-op setup [s]", noops, 0.5),
        _row("hot reload [s]", reloads, 1),
        _row("leaks.check, all of it [s]", leaks, 1),
        _row("tool and supervisor [MiB]", [start.mib + supervisor for start in starts], 90),
        _row("one-task --list [s]", ones),
        _row("--list over it [s]", [mine - other for mine, other in zip(lists, ones, strict=True)], 0.05),
        _row("plan of staging to --list", [plan / mine for plan, mine in zip(drawn, lists, strict=True)], 2),
        _row("3 services, 6 environments on paper [s]", [one["first"] for one in papers], 0.15),
        _row("secrets of an environment to one read", vault.reading(runs), 2),
        _row("first render of an agent [s]", agent.first_render(runs), 1),
        _row("setup-tokens, 3 services, 3 environments [s]", [one.first for one in given], 3),
        _row("  requests for a target", [one.first_requests for one in given], 6),
        _row("setup-tokens with nothing to do [s]", [one.idle for one in given], 0.5),
        _row("  requests for a target", [one.idle_requests for one in given], 6),
        _row("50 services to 10", [one["50 services"] / one["10 services"] for one in papers], 6),
    ]


def _pairs(
    checkout: Checkout, folder: Path, runs: int, tell: Callable[[str], None]
) -> tuple[list[float], list[Start]]:
    """Give bare and own starts in turn, so that a machine that drifts slows both."""
    bare, starts = [], []
    for number in range(runs):
        tell(f"pair {number + 1} of {runs}")
        bare.append(float(_bare(folder, "run")))
        checkout.run("finance_report.down")
        starts.append(checkout.start())
    return bare, starts


def _bare(folder: Path, act: str) -> str:
    script = [sys.executable, "-m", "bench.bare", str(folder / "bare"), act]
    env = seen_by("tool", os.environ)
    return subprocess.run(script, check=True, capture_output=True, text=True, cwd=ROOT, env=env).stdout


def _listings(checkout: Checkout, folder: Path, runs: int) -> tuple[list[float], list[float]]:
    (folder / "one").mkdir()
    (folder / "one" / "tasks.py").write_text(ONE_TASK, encoding="ascii")
    mine, other = [], []
    for _ in range(runs + 1):
        mine.append(checkout.run("--list"))
        began = time.monotonic()
        words = [sys.executable, "-m", "invoke", "--list"]
        env = seen_by("tool", os.environ)
        subprocess.run(words, check=True, cwd=folder / "one", env=env, stdout=subprocess.DEVNULL)
        other.append(time.monotonic() - began)
    return mine[1:], other[1:]


def _paper() -> dict[str, float]:
    """Give the seconds of environments on paper, each in a process of its own."""
    script = [sys.executable, "-m", "bench.paper"]
    env = seen_by("tool", os.environ)
    done = subprocess.run(script, check=True, capture_output=True, text=True, cwd=ROOT, env=env)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _row(name: str, values: list[float], bar: float | None = None) -> Row:
    middle = median(values)
    verdict = "" if bar is None else ("yes" if middle <= bar else "NO")
    texts = (f"{value:.2f}" for value in (middle, min(values), max(values)))
    return (name, *texts, "" if bar is None else f"{bar:g}", verdict)
