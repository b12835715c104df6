"""Development servers that live on this machine, found by the marks in their own environment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import psutil

from infra.model.unit import DEVELOPMENT
from infra.targets.process.bearers import Marks, is_helper
from infra.targets.process.processes import end, mains

OWNER = "INFRA_OWNER"
GRACE = 5.0


@dataclass(frozen=True, slots=True)
class DevelopmentServer:
    """One that lives. `owner` is the pid of the command that started it, 0 when that command is gone."""

    unit: str
    process: psutil.Process
    owner: int


def servers(marks: Marks, unit: str = "") -> list[DevelopmentServer]:
    """Give the development servers of an environment, or those that stand for one unit."""
    return [
        DevelopmentServer(name, process, _owner(process))
        for name, found in mains(marks).items()
        for process, running in found
        if running.bundle == DEVELOPMENT and unit in {"", name} and not is_helper(name)
    ]


def end_all(found: Iterable[DevelopmentServer], marks: Marks) -> list[int]:
    """End these servers with all that they started, after 5 s by force; give the pids that stay.

    What one of them leaves behind is found by its mark.
    """
    stubborn: list[psutil.Process] = []
    left = list(found)
    while left:
        names = {one.unit for one in left}
        stubborn += end([one.process for one in left], GRACE)
        left = [one for one in servers(marks) if one.unit in names and one.process not in stubborn]
    return [process.pid for process in stubborn]


def _owner(process: psutil.Process) -> int:
    """Give the command that waits for a server: its parent, as long as that is who started it."""
    try:
        started_by = process.environ().get(OWNER, "")
        return process.ppid() if started_by == str(process.ppid()) else 0
    except psutil.Error:
        return 0
