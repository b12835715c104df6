"""The thirteen rows of the secrets audit: their names, what their facts mean, what they amount to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from infra.model.errors import CannotTell, InfraError, KnownBad

State = Literal["ok", "fail", "unknown", "skipped"]

NAMES: Mapping[int, str] = {
    1: "policy, role, mount",
    2: "accessors",
    3: "keys",
    4: "derived keys",
    5: "rendered file",
    6: "agent",
    7: "agent log",
    8: "heartbeat",
    9: "mounts",
    10: "consumers",
    11: "audit device",
    12: "platform env",
    13: "lone secrets",
}
WINDOWS: Mapping[int, str] = {
    2: "7 days ahead",
    5: "10 min",
    6: "1 h",
    7: "1 h",
    8: "1 h",
    12: "30 min",
    13: "now, and all that is kept of the logs",
}
BEHIND_AT_MOST = 600.0
UNBLANKED_AT_MOST = 1800.0


@dataclass(frozen=True, slots=True)
class Row:
    """One answer of the audit; `subject` is a service, empty for the whole environment."""

    number: int
    subject: str
    state: State
    detail: str
    next_step: str = ""

    @property
    def name(self) -> str:
        """What the row is about."""
        return NAMES[self.number]

    @property
    def window(self) -> str:
        """The time that the answer speaks of."""
        return WINDOWS.get(self.number, "now")

    def as_json(self) -> dict[str, Any]:
        """Give the row as plain values."""
        return {**asdict(self), "name": self.name, "window": self.window}


def verdict(rows: Sequence[Row]) -> InfraError | None:
    """Give the error that the rows amount to: one fail decides, else one unknown; None when all is well."""
    for state, kind in (("fail", KnownBad), ("unknown", CannotTell)):
        found = [row for row in rows if row.state == state]
        if found:
            words = "the audit found" if kind is KnownBad else "the audit could not read"
            evidence = tuple(f"{row.number} {row.name} {row.subject}: {row.detail}" for row in found)
            next_step = next((row.next_step for row in found if row.next_step), "")
            return kind(f"{words} {len(found)} of {len(rows)} rows", next_step=next_step, evidence=evidence)
    return None


@dataclass(frozen=True, slots=True)
class Rendered:
    """What is seen of a rendered file; `fault` says why it cannot be used, empty when it can."""

    fault: str
    keys: frozenset[str] = frozenset()
    is_current: bool = True


def rendered_row(
    service: str, seen: Rendered, required: Iterable[str], changed: float, now: float, next_step: str
) -> Row:
    """Judge a rendered file; `changed` is when the store's newest version was made, both epoch seconds."""
    lacking = sorted(set(required) - seen.keys)
    if seen.fault:
        return Row(5, service, "fail", seen.fault, next_step)
    if lacking:
        return Row(5, service, "fail", f"lacks {', '.join(lacking)}", next_step)
    if seen.is_current:
        return Row(5, service, "ok", "as the store holds it")
    behind = now - changed
    words = f"behind the store for {behind / 60:.0f} min"
    return Row(5, service, "fail" if behind > BEHIND_AT_MOST else "ok", words, next_step)


@dataclass(frozen=True, slots=True)
class Reader:
    """A unit that reads a service's secrets: when it started, and the version that it was started with.

    `version` is None where no record tells it. Times are epoch seconds.
    """

    unit: str
    started: float
    version: int | None

    def runs_on_old(self, current: int, changed: float) -> bool:
        """Tell whether it was started with an older version than the one that was made at `changed`."""
        return self.started < changed if self.version is None else self.version < current


def consumers_row(
    service: str, readers: Sequence[Reader], current: int, changed: float, next_step: str
) -> Row:
    """Judge who runs on which version of a service's secrets."""
    if not readers:
        return Row(10, service, "unknown", "nothing of it runs", next_step)
    old = [one for one in readers if one.runs_on_old(current, changed)]
    if old:
        said = ", ".join(f"{one.unit} runs on old value {_version(one)} of {current}" for one in old)
        return Row(10, service, "fail", said, next_step)
    names = ", ".join(one.unit for one in readers)
    return Row(10, service, "ok", f"{names}: version {current}")


def _version(reader: Reader) -> str:
    return f"version {reader.version}" if reader.version is not None else "from before"
