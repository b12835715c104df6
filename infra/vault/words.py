"""How a person names an environment to the tasks of this room."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from infra.vault.desk import Desk


def flags(desk: Desk) -> str:
    """Give the arguments that choose this environment, and its rehearsal where it is one."""
    rehearsal = " --target process" if desk.is_rehearsal else ""
    return f"--env {desk.environment.name}{rehearsal}"
