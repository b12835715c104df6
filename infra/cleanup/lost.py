"""Processes that go on although their folder was deleted: shown always, ended with --all."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from infra.cleanup.item import Item
from infra.model.errors import CannotTell
from infra.targets.process import census

ASKED_FOR = "ended with --all"


def items(found: Iterable[census.Lost], *, everything: bool) -> list[Item]:
    """Give each of them, supervisors first: they would start again what is ended."""
    why = "" if everything else ASKED_FOR
    return [Item("process", str(one), why, remove=_ending(one)) for one in found]


def _ending(one: census.Lost) -> Callable[[], str]:
    def end() -> str:
        left = census.end(one)
        if left:
            raise CannotTell(f"pid {left[0]} does not end", next_step=f"kill -9 {left[0]}")
        return ""

    return end
