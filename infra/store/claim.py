"""Whether the lease that this command holds is still its own."""

from __future__ import annotations

from dataclasses import dataclass

from infra.model.errors import LeaseHeld
from infra.store.leases import Holding


@dataclass(slots=True)
class Claim:
    """The lease of this command while it holds one.

    `unwritten` are lines on what a command that only stops could not write down; None for any other one.
    """

    holding: Holding | None = None
    unwritten: list[str] | None = None

    def require(self, choice: str) -> None:
        """Stop before the next change when the lease is ours no more; what was changed so far stays.

        `choice` is how a person chooses the environment on a command line.
        """
        if self.holding is not None and self.holding.lost:
            words = f"the lease was lost: {self.holding.cause}"
            raise LeaseHeld(words, next_step=f"./inv lock.status {choice}")
