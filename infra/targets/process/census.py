"""Live processes of any checkout and environment of this user, and those that lost their folder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from infra.model.observed import UNPROVEN
from infra.targets.process import processes
from infra.targets.process.bearers import KEEPER, Bearer, Marks, everybody, is_helper

GRACE = 15.0


@dataclass(frozen=True, slots=True)
class Lost:
    """A live process whose environment's folder was deleted under it; `unit` is empty for a supervisor."""

    process: psutil.Process
    marks: Marks
    unit: str
    folder: str
    is_proven: bool

    def __str__(self) -> str:
        """Give it as people read it."""
        doubt = "" if self.is_proven else f" {UNPROVEN}"
        what = self.unit or "supervisor"
        return f"{what} of {self.marks.environment} (pid {self.process.pid}){doubt}: {self.folder} is gone"


def lost(base: Path, marks: Marks) -> list[Lost]:
    """Give the processes whose environment's folder lay below `base` and is gone, supervisors first.

    `marks` are those of any environment of this user. What runs as somebody else's user is left out.
    """
    found = filter(None, (_lost(one, _of(one, marks)) for one in everybody()))
    below = [one for one in found if Path(one.folder).is_relative_to(base)]
    return sorted(below, key=lambda one: (bool(one.unit), one.marks.environment, one.unit))


def end(one: Lost) -> list[int]:
    """End a process that lost its folder, with all of its unit; give the pids that stay."""
    if one.unit and one.is_proven:
        return [left.pid for left in processes.end_unit(one.marks, one.unit, GRACE)]
    return [left.pid for left in processes.end([one.process], GRACE)]


def _of(one: Bearer, marks: Marks) -> Marks:
    """Give the marks that a process bears, to be proven as those that we know are."""
    said = one.variables
    return replace(marks, checkout=said["INFRA_CHECKOUT"], environment=said.get("INFRA_ENV", ""), run="")


def _lost(one: Bearer, marks: Marks) -> Lost | None:
    try:
        words = [] if one.unit else one.process.cmdline()
        run = Path(one.variables["HOME"]) / "run" if one.unit else Path(words[words.index(KEEPER) + 1])
        parent = one.process.parent() if one.unit else None
        if run.is_dir() or is_helper(one.unit) or (parent and parent.environ().get("INFRA_UNIT") == one.unit):
            return None
    except (psutil.Error, OSError, KeyError, ValueError, IndexError):
        return None
    is_proven = marks.accepts(one)
    if is_proven or marks.could_be_ours(one):
        return Lost(one.process, marks, one.unit, str(run.parent), is_proven)
    return None


def end_all(marks: Marks) -> list[int]:
    """End every process of a checkout, its supervisors first; give the pids that stay.

    A person has asked for it: also what could be ours and does not prove it.
    """
    for _ in range(3):  # a supervisor may start a unit while it is being ended
        found = _of_checkout(marks)
        keepers = [one for one in found if not one.unit]
        processes.end([one.process for one in keepers], GRACE)
        processes.end([one.process for one in found if one.unit], GRACE)
    return [one.pid for one in _of_checkout(marks)]


def _of_checkout(marks: Marks) -> list[Bearer]:
    """Give the processes of the checkout that are ours or could be, the youngest first."""
    mine = [(one, _of(one, marks)) for one in everybody()]
    found = [
        one
        for one, known in mine
        if known.checkout == marks.checkout and (known.accepts(one) or known.could_be_ours(one))
    ]
    return sorted(found, key=lambda one: one.identity, reverse=True)
