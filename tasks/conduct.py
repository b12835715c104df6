"""Runs a task's body: what it finds becomes text and an exit code, whatever it raises."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from infra.console import Console
from infra.invocation import Command
from infra.model.clock import iso
from infra.model.errors import BadInput, CannotTell, InfraError
from infra.model.redaction import Redactor
from infra.model.verdict import Outcome
from tasks.root import ROOT


class Terminated(BaseException):
    """SIGTERM, as something that unwinds the stack and lets clean-up happen."""


def conduct(name: str, body: Callable[..., None], arguments: dict[str, Any], *, refuse: bool) -> int:
    """Run a task's body and give its exit code; nothing that it raises gets past here."""
    redactor = Redactor()
    as_json = bool(arguments.pop("json", False)) or "--json" in sys.argv[1:]
    console = Console(redactor, as_json=as_json)
    outcome = Outcome(name, str(arguments.get("env") or ""), service=_service_in(name))
    began, outcome.started = time.monotonic(), iso(datetime.now(UTC))
    try:
        _refuse(name, refuse=refuse, as_json=as_json)
        _run(body, Command(outcome, console, redactor, ROOT, dict(os.environ)), arguments)
    except InfraError as error:
        outcome.fail(error)
        console.error(error)
    except Exception as error:  # noqa: BLE001  # a fault of ours: told like any other, never green
        fault = _own_fault(error)
        outcome.fail(fault)
        console.error(fault)
    except KeyboardInterrupt:
        outcome.outcome, outcome.exit_code = "interrupted", 130
    except Terminated:
        outcome.outcome, outcome.exit_code = "terminated", 143
    outcome.finished = iso(datetime.now(UTC))
    outcome.duration_s = round(time.monotonic() - began, 3)
    outcome.timings = {**console.timings, **outcome.timings}
    if as_json:
        console.object(outcome.as_json())
    return outcome.exit_code


def _own_fault(error: Exception) -> CannotTell:
    """Give an error that nobody foresaw, with the places that it came through."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    places = tuple(f"{Path(frame.filename).name}:{frame.lineno} {frame.line}" for frame in frames)
    words = f"a fault of this tool: {type(error).__name__}: {error}"
    return CannotTell(words, evidence=places, next_step="repeat it once, then report it with these lines")


def _service_in(name: str) -> str:
    """Give the service of `project.service.task`, empty for other tasks."""
    parts = name.split(".")
    return parts[1] if len(parts) == 3 else ""


def _run(body: Callable[..., None], this: Command, arguments: dict[str, Any]) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGTERM, _terminate)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        body(this, **arguments)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise Terminated


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
