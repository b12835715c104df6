"""A switch that is kept in the database: the smallest thing that shows reads, writes and restarts."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from src.ledger import PingState
from src.stores import Ledger

router = APIRouter(prefix="/ping", tags=["ping"])


class Ping(BaseModel):
    state: PingState


@router.get("")
async def read(ledger: Ledger) -> Ping:
    """The switch as it stands."""
    return Ping(state=await ledger.ping())


@router.post("/toggle")
async def toggle(ledger: Ledger) -> Ping:
    """Flip the switch and answer its new state."""
    return Ping(state=await ledger.toggle())
