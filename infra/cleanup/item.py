"""One thing that a clean-up may take away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["process", "entry", "bucket", "data", "checkout", "list"]


@dataclass(frozen=True, slots=True)
class Item:
    """A thing with its size in bytes. `why` says why it stays, empty when it goes.

    `remove` takes it away and gives why it stayed all the same; it returns only after looking again.
    It raises InfraError for what cannot be removed.
    """

    kind: Kind
    name: str
    why: str = ""
    size: int = 0
    remove: Callable[[], str] = lambda: "nobody may remove it"

    @property
    def goes(self) -> bool:
        """True when it is to be removed."""
        return not self.why
