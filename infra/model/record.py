"""A release that happened, as the ledger keeps it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from infra.model.unit import Bundle, bundle_from_json

SUMMARY = (
    "deploy",
    "service",
    "environment",
    "target",
    "rehearsal",
    "actor",
    "started",
    "finished",
    "verdict",
    "release",
    "bundle_digest",
    "error",
    "operations",
)


@dataclass(frozen=True, slots=True)
class Record:
    """One deploy of one service; times are UTC in ISO 8601, durations seconds.

    `verdict` is ok, failed, interrupted or destroyed. `boot` is the machine and the boot in which it was
    written, empty where nobody noted it.
    """

    deploy: str
    service: str
    environment: str
    target: str
    rehearsal: bool
    actor: str
    started: str
    finished: str
    verdict: str
    release: str
    bundle_digest: str
    operations: tuple[str, ...] = ()
    error: str = ""
    migration: str = ""
    timings: dict[str, float] = field(default_factory=dict)
    bundle: Bundle | None = None
    boot: str = ""

    @property
    def ended_in_apply(self) -> bool:
        """True when it ended before all operations were carried out: its data may never have been made."""
        return "apply" in self.timings and "gate" not in self.timings

    def as_json(self) -> dict[str, Any]:
        """Give the record as plain values; `record_from_json` reads it back."""
        plain = {key: value for key, value in asdict(self).items() if key != "bundle"}
        return {**plain, "bundle": self.bundle.as_json() if self.bundle else None}


def record_from_json(value: dict[str, Any]) -> Record:
    """Give the record that `Record.as_json` wrote, also one that was shortened to its summary."""
    bundle = value.get("bundle")
    whole = {
        "operations": tuple(value.get("operations", ())),
        "bundle": bundle_from_json(bundle) if bundle else None,
    }
    known = {key: value[key] for key in Record.__dataclass_fields__ if key in value}
    return Record(**{**known, **whole})
