"""Acceptance as values: what is promised, how each promise is checked, and what a check saw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

State = Literal["ok", "fail", "unknown"]
Component = Literal["F", "PG", "RD", "VT", "DK", "SSH", "DP", "S3", "REG", "GIT", "GH", "APP", "SD"]
FILES_ONLY = "F"
STACK = frozenset({"APP", "PG", "RD"})


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Step(BaseModel):
    """One check that is run for a row: its name, and the values that it is given."""

    model_config = ConfigDict(extra="allow", frozen=True)
    check: str

    @property
    def given(self) -> dict[str, Any]:
        """The values that the check is given."""
        return dict(self.model_extra or {})


class Row(_Part):
    """One promise. `real` names the components without which no check of it counts.

    It is proven by `tests` of this repository, by `run`, or by both; `unknown` says why nothing proves it.
    """

    id: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]*([.-]\d+)+$")]
    promise: Annotated[str, Field(min_length=1)]
    real: Annotated[tuple[Component, ...], Field(min_length=1)]
    tests: tuple[str, ...] = ()
    run: tuple[Step, ...] = ()
    unknown: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _has_one_kind_of_answer(self) -> Self:
        if bool(self.unknown) == bool(self.tests or self.run):
            raise ValueError("`tests`, `run` or both are expected, else `unknown` with the reason")
        return self

    @property
    def components(self) -> frozenset[str]:
        """The real components that have to be there; none for a row about files alone."""
        return frozenset(self.real) - {FILES_ONLY}


class Area(_Part):
    """The rows of one area; its name is what `--area` takes."""

    area: Annotated[str, Field(pattern=r"^[A-Z]+$")]
    title: str
    rows: Annotated[tuple[Row, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one check saw: its state, what was run and what came back, and the real components of it."""

    state: State
    text: str
    real: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Finding:
    """A row with the state that its evidence gives it."""

    row: Row
    state: State
    evidence: str

    def as_json(self) -> dict[str, str]:
        """Give the finding as `--json` prints it."""
        return {"id": self.row.id, "state": self.state, "evidence": self.evidence}
