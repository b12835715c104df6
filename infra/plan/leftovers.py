"""Which processes of an environment nobody owns any more. In doubt a process stays."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """A main process of a unit. `owner` is the command of a development server, 0 when that command ended.

    `owner` is None for what is no development server.
    """

    unit: str
    pid: int
    owner: int | None = None


@dataclass(frozen=True, slots=True)
class Owners:
    """Who could own a process: the pids that the supervisor keeps, and the people at work in other windows.

    `kept` is None when no supervisor lives. `users` are words such as "test run 4711".
    """

    kept: Collection[int] | None
    users: tuple[str, ...] = ()


def why_kept(process: Standing, owners: Owners) -> str:
    """Give who owns a process, empty when nobody does.

    Without a supervisor nobody restarts a unit or ends it; it stays only as long as somebody uses it.
    """
    if process.owner is not None:
        return f"pid {process.owner} attends to it" if process.owner else ""
    if owners.kept is not None:
        return "its supervisor keeps it" if process.pid in owners.kept else ""
    return f"used by {', '.join(owners.users)}" if owners.users else ""
