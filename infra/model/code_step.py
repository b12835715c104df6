"""A step of checking the application's code, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Step = Literal["lint", "types", "format", "fix", "test", "build"]
Verdict = Literal["ok", "failed", "unknown", "skipped"]


@dataclass(frozen=True, slots=True)
class Command:
    """What one step runs, in which folder of the checkout.

    Without `argv` it does not run: `skipped` says why there is nothing to do, `fault` why that is bad.
    `is_written` tells that a person wrote it into the settings.
    """

    part: str
    step: Step
    folder: str
    argv: tuple[str, ...] = ()
    skipped: str = ""
    fault: str = ""
    is_written: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """What became of a step; `seconds` is how long it took."""

    part: str
    step: str
    verdict: Verdict
    words: str = ""
    seconds: float = 0.0

    def cells(self) -> tuple[str, ...]:
        """Give the row as people read it."""
        took = f"{self.seconds:.1f} s" if self.seconds else ""
        return (self.verdict, self.part, self.step, took, self.words)

    def as_json(self) -> dict[str, Any]:
        """Give the row as programs read it."""
        return {name: getattr(self, name) for name in self.__slots__}
