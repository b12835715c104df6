"""The agents of a rehearsal end with the Vault that they ask; who reads what they rendered goes on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from infra.plan.agent_process import is_agent
from infra.targets.process import processes
from infra.targets.process.client import Client

if TYPE_CHECKING:
    from infra.console import Console
    from infra.targets.process.bearers import Marks


def end(marks: Marks, run: Path, console: Console) -> list[str]:
    """End the agents of an environment and give their names; one that does not end is told with its pid."""
    client = Client(run, marks)
    ended = sorted(name for name in {*processes.mains(marks), *client.units()} if is_agent(name))
    if ended:
        console.line(f"ending {', '.join(ended)}: the Vault that they ask is gone")
    for name in ended:
        for pid in client.stop(name):
            console.line(f"{name}: pid {pid} does not end")
            console.line(f"→ kill -9 {pid}")
    return ended
