"""Every live process of a checkout, its supervisors included, recognised by the mark in its environment."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from infra.targets.process import processes
from infra.targets.process.proof import Key

GRACE = 15.0


def of_checkouts(checkouts: Collection[str]) -> dict[str, list[psutil.Process]]:
    """Give the processes of each of these checkouts that has any, the youngest first."""
    found: dict[str, list[psutil.Process]] = {}
    for process in psutil.process_iter():
        try:
            checkout = process.environ().get("INFRA_CHECKOUT", "")
            if checkout in checkouts and process.status() != psutil.STATUS_ZOMBIE:
                found.setdefault(checkout, []).append(process)
        except (psutil.Error, OSError):
            continue
    return {one: sorted(many, key=psutil.Process.create_time, reverse=True) for one, many in found.items()}


@dataclass(frozen=True, slots=True)
class Lost:
    """A live process whose environment's folder was deleted under it; `unit` is empty for a supervisor."""

    process: psutil.Process
    checkout: str
    environment: str
    unit: str
    folder: str
    key: Key = field(repr=False, compare=False)

    def __str__(self) -> str:
        """Give it as people read it."""
        what = self.unit or "supervisor"
        return f"{what} of {self.environment} (pid {self.process.pid}): {self.folder} is gone"


def lost(base: Path, key: Key) -> list[Lost]:
    """Give the processes whose environment's folder lay below `base` and is gone, supervisors first.

    Those of other users are not readable and not ours.
    """
    found = filter(None, (_lost(one, key) for one in psutil.process_iter()))
    below = [one for one in found if Path(one.folder).is_relative_to(base)]
    return sorted(below, key=lambda one: (bool(one.unit), one.environment, one.unit))


def end(one: Lost) -> list[int]:
    """End a process that lost its folder, with all of its unit; give the pids that stay."""
    if not one.unit:
        return [left.pid for left in processes.end([one.process], GRACE)]
    marks = processes.Marks(one.checkout, one.environment, one.key)
    return [left.pid for left in processes.end_unit(marks, one.unit, GRACE)]


def _lost(process: psutil.Process, key: Key) -> Lost | None:
    try:
        variables = process.environ()
        checkout, environment = variables["INFRA_CHECKOUT"], variables["INFRA_ENV"]
        unit = variables.get("INFRA_UNIT", "")
        words = [] if unit else process.cmdline()
        run = Path(variables["HOME"]) / "run" if unit else Path(words[words.index(processes.KEEPER) + 1])
        if run.is_dir() or processes.is_helper(unit) or process.status() == psutil.STATUS_ZOMBIE:
            return None
        parent = process.parent() if unit else None
        if parent and parent.environ().get("INFRA_UNIT") == unit:
            return None
    except (psutil.Error, OSError, KeyError, ValueError, IndexError):
        return None
    return Lost(process, checkout, environment, unit, str(run.parent), key)


def end_all(checkout: str) -> list[int]:
    """End every process of a checkout, its supervisors first; give the pids that stay."""
    for _ in range(3):  # a supervisor may start a unit while it is being ended
        found = of_checkouts([checkout]).get(checkout, [])
        keepers = [one for one in found if _is_supervisor(one)]
        processes.end(keepers, GRACE)
        processes.end([one for one in found if one not in keepers], GRACE)
    return [one.pid for one in of_checkouts([checkout]).get(checkout, [])]


def _is_supervisor(process: psutil.Process) -> bool:
    try:
        return "INFRA_UNIT" not in process.environ()
    except psutil.Error:
        return False
