"""What a smoke run saw: a line for each check, and the verdict over all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

Verdict = Literal["pass", "warn", "fail"]
COLUMNS = ("id", "path", "expected", "got", "ms", "verdict")


@dataclass(frozen=True, slots=True)
class Result:
    """One check that was really made; `ms` covers all its requests."""

    id: str
    path: str
    expected: str
    got: str
    ms: float
    verdict: Verdict

    @property
    def cells(self) -> tuple[str, ...]:
        """The texts of a table line, in the order of COLUMNS."""
        return self.id, self.path, self.expected, self.got, f"{self.ms:.0f}", self.verdict


@dataclass(frozen=True, slots=True)
class SmokeReport:
    """A smoke run: `checks` are the rows of the profile, `timings` come on top and count for no minimum."""

    target: str
    profile: str
    environment: str
    mode: str
    expected_sha: str | None
    minimum: int
    ready_tries: int
    ready_last: str
    checks: tuple[Result, ...]
    timings: tuple[Result, ...] = ()

    @property
    def faults(self) -> tuple[str, ...]:
        """Why the run failed, a line each; empty when it passed."""
        executed = len(self.checks)
        too_few = f"{executed} checks executed, at least {self.minimum} expected"
        return (*faults_of((*self.checks, *self.timings)), *((too_few,) if executed < self.minimum else ()))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should look at although it fails nothing, a line each."""
        return tuple(_line(one) for one in self.timings if one.verdict == "warn")

    @property
    def exit_code(self) -> int:
        """0 when all passed and the minimum is met, else 1."""
        return 1 if self.faults else 0

    @property
    def table(self) -> tuple[tuple[str, ...], ...]:
        """The lines of the console's table under COLUMNS."""
        return tuple(one.cells for one in (*self.checks, *self.timings))

    def as_facts(self) -> dict[str, Any]:
        """Give the `facts` of the machine output (schema `finance_report/1`)."""
        return {
            "target": self.target,
            "profile": self.profile,
            "environment": self.environment,
            "mode": self.mode,
            "expected_sha": self.expected_sha,
            "ready": {"tries": self.ready_tries, "last": self.ready_last},
            "minimum": self.minimum,
            "executed": len(self.checks),
            "checks": [_as_facts(one) for one in self.checks],
            "timings": [_as_facts(one) for one in self.timings],
        }


@dataclass(frozen=True, slots=True)
class SelfTestReport:
    """Proof that the smoke test can fail: a line for each row, each broken twin and each promise."""

    profile: str
    proofs: tuple[Result, ...]

    @property
    def faults(self) -> tuple[str, ...]:
        """What could not be proven, a line each."""
        return faults_of(self.proofs) if self.proofs else ("nothing was proven",)

    @property
    def exit_code(self) -> int:
        """0 when all is proven, else 1."""
        return 1 if self.faults else 0

    @property
    def table(self) -> tuple[tuple[str, ...], ...]:
        """The lines of the console's table under COLUMNS."""
        return tuple(one.cells for one in self.proofs)

    def as_facts(self) -> dict[str, Any]:
        """Give the `facts` of the machine output (schema `finance_report/1`)."""
        return {"profile": self.profile, "proofs": [_as_facts(one) for one in self.proofs]}


def faults_of(results: Iterable[Result]) -> tuple[str, ...]:
    """Give a line for each failed result."""
    return tuple(_line(one) for one in results if one.verdict == "fail")


def _line(one: Result) -> str:
    return f"{one.id} {one.path}: expected {one.expected}, got {one.got}"


def _as_facts(one: Result) -> dict[str, Any]:
    return asdict(one) | {"ms": round(one.ms, 1)}
