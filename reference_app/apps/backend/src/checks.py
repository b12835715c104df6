"""What the application uses, and whether it can be used: for GET /health and for the boot check."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from src.remote import Refused
from src.stores import Checked, Stores


@dataclass(frozen=True)
class Dependency:
    """Something that the application uses. Vital ones are asked each time, the others for `full=1`."""

    name: str
    of: Callable[[Stores], Checked | None]
    is_required: bool
    is_vital: bool


# The AI provider is not ours: that it is down is worth a line, not an outage.
DEPENDENCIES = (
    Dependency("postgres", lambda stores: stores.ledger, is_required=True, is_vital=True),
    Dependency("redis", lambda stores: stores.cache, is_required=True, is_vital=True),
    Dependency("s3", lambda stores: stores.bucket, is_required=True, is_vital=False),
    Dependency("ai", lambda stores: stores.ai, is_required=False, is_vital=False),
)


async def fault(store: Checked, seconds: float) -> str:
    """Why it cannot be used: the type of the error, since its text may hold an address. Empty when it can."""
    try:
        # A thread cannot be cancelled, so that what blocks has to end by itself, a little before us.
        await asyncio.wait_for(store.check(seconds * 0.95), seconds)
    except Refused as refusal:
        return str(refusal)
    except Exception as error:  # noqa: BLE001  # whatever a driver raises, it cannot be used
        return type(error).__name__
    return ""
