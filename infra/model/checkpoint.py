"""Checkpoint lines: what an entry point prints, read back into facts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_LINE = re.compile(
    r"\[CHECKPOINT-(?P<number>\d)\] state=(?P<state>start|retry|ok|fail) name=(?P<name>\w+) "
    r"deploy=(?P<deploy>\S+) t=(?P<seconds>\d+(?:\.\d+)?)"
    r"(?: reason=(?P<reason>\S+))? msg=\"(?P<message>.*)\"$",
)
NAMES = ("secrets", "migrations", "server")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of one checkpoint; `seconds` count from the start of its entry point."""

    number: int
    name: str
    state: str
    deploy: str
    seconds: float
    reason: str
    message: str

    def __str__(self) -> str:
        """Give the line that people read."""
        because = f" ({self.reason})" if self.reason else ""
        return f"{self.number} {self.name} {self.state}{because} after {self.seconds:.2f} s: {self.message}"


def parse_checkpoint(line: str) -> Checkpoint | None:
    """Give the checkpoint that a log line reports, None for any other line."""
    match = _LINE.search(line.rstrip())
    if match is None:
        return None
    return Checkpoint(
        number=int(match["number"]),
        name=match["name"],
        state=match["state"],
        deploy=match["deploy"],
        seconds=float(match["seconds"]),
        reason=match["reason"] or "",
        message=match["message"],
    )


def checkpoints_of(lines: Iterable[str], deploy: str) -> list[Checkpoint]:
    """Give the checkpoints of one deploy in the order of the log; lines of other deploys are ignored."""
    found = (parse_checkpoint(line) for line in lines)
    return [one for one in found if one is not None and one.deploy == deploy]


def furthest(checkpoints: Iterable[Checkpoint]) -> dict[str, Checkpoint]:
    """Give the last state of each checkpoint by its name."""
    return {one.name: one for one in checkpoints}
