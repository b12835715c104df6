"""The processes of an environment: those that nobody owns go, one by one; with --all every one of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import psutil

from infra import remove
from infra.cleanup.item import Item
from infra.model.errors import CannotTell
from infra.model.observed import Found
from infra.plan.leftovers import Owners, Standing, why_kept
from infra.session import Request, Session
from infra.targets.process import development, processes
from infra.targets.process.bearers import is_helper
from infra.targets.process.keeper import GRACE

DOUBTED = "it has our marks and no proof: ended with --all"


@dataclass(frozen=True, slots=True)
class Processes:
    """The processes of one environment; `runs` are the living test runs that use it, in words."""

    session: Session
    runs: tuple[str, ...]

    def items(self) -> list[Item]:
        """Give every main process and why it stays, the youngest first: it may need the older ones."""
        judged = sorted(self._judged(), key=lambda one: -_started(one[0]))
        return [
            *(Item("process", f"supervisor (pid {pid})", remove=self._end_lost) for pid in self._lost()),
            *(
                Item("process", f"{seen.unit} (pid {seen.pid})", why, remove=_Ending(self, process))
                for process, seen, why in judged
            ),
            *(Item("process", str(one), DOUBTED) for one in self.session.target.unproven()),
        ]

    def _lost(self) -> list[int]:
        """Give the supervisors without a folder, which nobody can ask; they go before what they restart."""
        return self.session.target.lost_keepers()

    def _end_lost(self) -> str:
        left = self.session.target.end_lost_keepers()
        if left:
            raise CannotTell(f"pid {left[0]} does not end", next_step=f"kill -9 {left[0]}")
        return ""

    def stopped(self) -> list[Item]:
        """Give all that runs as one thing to stop, nothing where nothing runs."""
        names = [*sorted(self.session.target.living()), *(f"supervisor (pid {pid})" for pid in self._lost())]
        names += map(str, self.session.target.unproven())
        return [Item("process", ", ".join(names), remove=self._stop)] if names else []

    def _judged(self) -> Iterable[tuple[psutil.Process, Standing, str]]:
        marks = self.session.target.marks
        mains = processes.mains(marks)
        attended = {one.process.pid: one.owner for one in development.servers(marks)}
        owners = self._owners(attended)  # asked after the processes: what starts meanwhile is not among them
        for unit, found in mains.items():
            for process, _ in found if not is_helper(unit) else ():
                seen = Standing(unit, process.pid, attended.get(process.pid))
                yield process, seen, why_kept(seen, owners)

    def _owners(self, attended: dict[int, int]) -> Owners:
        windows = [f"the development server {pid}" for pid, owner in attended.items() if owner]
        target = self.session.target
        if not isinstance(target.observe((), frozenset()).keeper, Found):
            return Owners(None, (*self.runs, *windows))
        return Owners([state["pid"] for state in target.states().values()], (*self.runs, *windows))

    def why_kept(self, process: psutil.Process) -> str:
        """Give who owns a process by now, empty when nobody does or when it ended."""
        return next((why for other, _, why in self._judged() if other == process), "")

    def _stop(self) -> str:
        remove.down(self.session, Request(self.session.service_names), unproven=True)
        return ""


@dataclass(frozen=True, slots=True)
class _Ending:
    """Ends one process with what it started, unless somebody owns it by now."""

    place: Processes
    process: psutil.Process

    def __call__(self) -> str:
        why = self.place.why_kept(self.process)
        if why:
            return why
        unit = _unit(self.process)
        left = processes.end(_family(self.process, unit), GRACE)
        if left:
            raise CannotTell(f"pid {left[0].pid} does not end", next_step=f"kill -9 {left[0].pid}")
        return ""


def _started(process: psutil.Process) -> float:
    try:
        return process.create_time()
    except psutil.Error:
        return 0.0


def _unit(process: psutil.Process) -> str:
    try:
        return process.environ().get("INFRA_UNIT", "")
    except psutil.Error:
        return ""


def _family(process: psutil.Process, unit: str) -> list[psutil.Process]:
    """Give a process and those below it that are of the same unit."""
    try:
        below = [one for one in process.children(recursive=True) if _unit(one) == unit]
    except psutil.Error:
        below = []
    return [process, *below]
