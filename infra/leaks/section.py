"""One section of the leak check."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Verdict = Literal["ok", "leak", "unknown"]
NOT_ASKED = "not asked"


@dataclass(frozen=True, slots=True)
class Leak:
    """One thing that nobody owns; `size` is in bytes."""

    name: str
    size: int = 0


@dataclass(frozen=True, slots=True)
class Section:
    """What a section found. `words` say more; `counts` is False where an unknown makes no bad answer."""

    name: str
    verdict: Verdict
    leaks: tuple[Leak, ...] = ()
    words: str = ""
    counts: bool = True

    @property
    def size(self) -> int:
        """The bytes of all leaks."""
        return sum(one.size for one in self.leaks)

    def as_json(self) -> dict[str, Any]:
        """Give the section as plain values."""
        items = [{"name": one.name, "size": one.size} for one in self.leaks]
        plain = {"section": self.name, "verdict": self.verdict, "count": len(items), "size": self.size}
        return {**plain, "words": self.words, "counts": self.counts, "items": items}


def judged(name: str, leaks: Iterable[Leak], words: str = "") -> Section:
    """Give a section that could be looked at: a leak when there is one."""
    found = tuple(leaks)
    return Section(name, "leak" if found else "ok", found, words)


def unknown(name: str, words: str) -> Section:
    """Give a section that could not be looked at, though it should have been."""
    return Section(name, "unknown", words=words)


def not_asked(name: str, words: str, *, counts: bool) -> Section:
    """Give a section that nobody asked about."""
    return Section(name, "unknown", words=f"{NOT_ASKED}: {words}", counts=counts)
