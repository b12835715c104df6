"""Runs a task's body: what it finds becomes text and an exit code, whatever it raises."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from infra import signals
from infra.console import Console
from infra.invocation import Command
from infra.model.clock import iso
from infra.model.errors import BadInput, CannotTell, NotCleaned
from infra.model.faults import as_error
from infra.model.interruption import Interrupted
from infra.model.redaction import Redactor
from infra.model.verdict import Outcome
from infra.streams import ReaderGone
from infra.targets.process import modes
from tasks.callers_shell import set_aside
from tasks.command import ANY, Kind
from tasks.root import ROOT

# What runs with the person's own rights: where its top is nobody else's, so is what lies below it.
RUNS_FROM = (
    *("", "inv", "invoke.yaml", "invoke.local.yaml", "infra", "tasks", "finance_report", "templates"),
    *(".venv", ".venv/bin", ".venv/lib"),
)


def conduct(
    name: str,
    body: Callable[..., None],
    arguments: dict[str, Any],
    kind: Kind = ANY,
    *,
    is_dry: bool = False,
) -> int:
    """Run a task's body and give its exit code; nothing that it raises gets past here."""
    redactor = Redactor()
    as_json = bool(arguments.pop("json", False)) or "--json" in sys.argv[1:]
    console = Console(redactor, as_json=as_json, is_listing=kind.lists)
    outcome = Outcome(name, str(arguments.get("env") or ""), service=_service_in(name))
    began, outcome.started = time.monotonic(), iso(datetime.now(UTC))
    try:
        _refuse(name, refuse=kind.changes and is_dry, as_json=as_json)
        _require_own_checkout()
        with set_aside() as callers:
            this = Command(outcome, console, redactor, ROOT, callers)
            with signals.taken(this.interruption):
                body(this, **arguments)
    except Exception as error:  # noqa: BLE001  # a fault of ours, too, is told like any other, never green
        fault = as_error(error)
        outcome.fail(fault)
        console.error(fault)
    except ReaderGone as gone:
        return _unread(console, gone)
    except KeyboardInterrupt as ended:
        _ended(outcome, ended if isinstance(ended, Interrupted) else Interrupted())
    outcome.finished = iso(datetime.now(UTC))
    outcome.duration_s = round(time.monotonic() - began, 3)
    outcome.timings = {**console.timings, **outcome.timings}
    return _told(console, outcome, kind) if as_json else outcome.exit_code


def _ended(outcome: Outcome, ended: Interrupted) -> None:
    outcome.exit_code = ended.exit_code
    if outcome.outcome == "ok" or outcome.errors:
        outcome.outcome = "interrupted"


def _unread(console: Console, gone: ReaderGone) -> int:
    """Give the code of a listing whose reader went away, 0, or whose lines have no place to go, 2."""
    if gone.is_quiet:
        return 0
    words = f"the output cannot be written: {gone.fault.strerror}"
    console.error(CannotTell(words, next_step="make room where it goes, then repeat the command"))
    return CannotTell.exit_code


def _told(console: Console, outcome: Outcome, kind: Kind) -> int:
    """Print the one object and give the exit code: 4 where a good change could not tell its caller."""
    try:
        is_whole = console.object(outcome.as_json())
    except ReaderGone as gone:
        return _unread(console, gone)
    return (
        NotCleaned.exit_code if kind.changes and not is_whole and not outcome.exit_code else outcome.exit_code
    )


def _require_own_checkout() -> None:
    """Refuse a checkout that others can write; who owns this very code has been believed by then."""
    owner = (ROOT / "tasks").lstat().st_uid
    modes.require_own((ROOT / name for name in RUNS_FROM), ROOT, accounts=(owner,))


def _service_in(name: str) -> str:
    """Give the service of `project.service.task`, empty for other tasks."""
    parts = name.split(".")
    return parts[1] if len(parts) == 3 else ""


def _refuse(name: str, *, refuse: bool, as_json: bool) -> None:
    if refuse:
        raise BadInput(
            f"{name} would change things for real: --dry only stops invoke's own commands",
            next_step=f"./inv {_plan_of(name)}",
        )
    if as_json and len(_named_tasks(sys.argv[1:])) > 1:
        raise BadInput(
            "--json prints one object, and two tasks in one line would print two",
            next_step=f"./inv {name} --json",
        )


def _plan_of(name: str) -> str:
    """Give the task that shows what this one would do, or at least how things are."""
    from tasks import ns

    place = name.rpartition(".")[0] or "finance_report"
    known = ns.task_names
    return next((f"{place}.{word}" for word in ("plan", "status") if f"{place}.{word}" in known), "doctor")


def _named_tasks(arguments: list[str]) -> list[str]:
    from tasks import ns

    return [word for word in arguments if word in ns.task_names]
