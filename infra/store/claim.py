"""Whether the lease that this command holds is still its own."""

from __future__ import annotations

from dataclasses import dataclass

from infra.model.errors import LeaseHeld
from infra.store.leases import Holding


@dataclass(slots=True)
class Claim:
    """The lease of this command while it holds one."""

    holding: Holding | None = None

    def require(self) -> None:
        """Stop before the next change when the lease is ours no more; what was changed so far stays."""
        if self.holding is not None and self.holding.lost:
            raise LeaseHeld(f"the lease was lost: {self.holding.cause}", next_step="./inv lock.status")
