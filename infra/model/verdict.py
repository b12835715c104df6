"""What verify saw, and what a command tells at its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from infra.model.errors import InfraError

SCHEMA = "finance_report/1"
INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of verify: good, or bad with its category, cause, evidence and the next thing to type."""

    ok: bool
    category: str = ""
    cause: str = ""
    evidence: tuple[str, ...] = ()
    next_step: str = ""
    checkpoints: tuple[str, ...] = ()

    def after(self, earlier: Verdict) -> Verdict:
        """Give the same verdict with the checkpoints that an earlier stage saw."""
        return self if self.checkpoints else replace(self, checkpoints=earlier.checkpoints)


@dataclass(slots=True)
class Outcome:
    """What one command found or did, in the form that `--json` prints; times are UTC, durations seconds."""

    command: str
    env: str
    service: str = ""
    outcome: str = "ok"
    exit_code: int = 0
    started: str = ""
    finished: str = ""
    duration_s: float = 0.0
    deploy_id: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)
    checkpoints: list[str] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)
    errors: list[Mapping[str, Any]] = field(default_factory=list)

    def fail(self, error: InfraError, outcome: str = "") -> None:
        """Take this error as the answer; the first error stays the one that names the outcome."""
        self.errors.append(
            {
                "kind": error.kind,
                "message": error.message,
                "evidence": list(error.evidence),
                "next": error.next_step,
            },
        )
        if len(self.errors) == 1:
            self.exit_code = error.exit_code
            words = {1: "failed", 4: self.outcome}  # with 4 the work itself is done
            self.outcome = outcome or words.get(error.exit_code, "unknown")

    def as_json(self) -> dict[str, Any]:
        """Give the one object that `--json` prints; the schema is shipped in docs/."""
        return {"schema": SCHEMA, **{name: getattr(self, name) for name in self.__slots__}}
