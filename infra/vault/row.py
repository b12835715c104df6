"""What came of one target of `vault.setup-tokens`: a row of its summary."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from infra.model.errors import InfraError
from infra.plan.credentials import Step

Result = Literal["nothing to do", "changes are pending", "done", "failed", "unknown", "not cleaned"]
COLUMNS = ("environment", "service", "result", "why")
ALL = "*"
_RESULTS: dict[int, Result] = {1: "failed", 4: "not cleaned"}
_SEVERITY = (1, 2, 4, 3, 0)


@dataclass(frozen=True, slots=True)
class Row:
    """One target's result; the error says what went wrong. Service `*` is what a whole environment shares.

    `accessor` names the credential that works now.
    """

    environment: str
    service: str
    result: Result
    steps: tuple[Step, ...] = ()
    accessor: str = ""
    error: InfraError | None = None

    @property
    def code(self) -> int:
        """The exit code that this row alone would give."""
        if self.error is not None:
            return self.error.exit_code
        return 3 if self.result == "changes are pending" else 0

    @property
    def why(self) -> str:
        """What went wrong, or what was done."""
        return self.error.message if self.error else "; ".join(map(str, self.steps))

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as people see it."""
        return self.environment, self.service, self.result, self.why

    def as_json(self) -> dict[str, Any]:
        """Give the row as programs read it; an accessor names a credential and opens nothing."""
        named = {"environment": self.environment, "service": self.service, "result": self.result}
        return {**named, "steps": list(map(str, self.steps)), "why": self.why, "accessor": self.accessor}


def bad(environment: str, service: str, error: InfraError, steps: tuple[Step, ...] = ()) -> Row:
    """Give the row of a target that was not done, or not wholly."""
    return Row(environment, service, _RESULTS.get(error.exit_code, "unknown"), steps, error=error)


def exit_code(rows: Iterable[Row]) -> int:
    """Give the code of them all: bad before unknown, before left over, before pending, before good."""
    codes = {row.code for row in rows}
    return next((code for code in _SEVERITY if code in codes), 0)
