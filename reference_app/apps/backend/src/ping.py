"""A switch that is kept in the database: the smallest thing that shows reads, writes and restarts."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from src.stores import Database

router = APIRouter(prefix="/ping", tags=["ping"])


class Ping(BaseModel):
    state: Literal["ping", "pong"]


@router.get("")
async def read(database: Database) -> Ping:
    """The switch as it stands."""
    return Ping(state=await database.fetchval("SELECT state FROM ping"))


@router.post("/toggle")
async def toggle(database: Database) -> Ping:
    """Flip the switch and answer its new state."""
    flip = "UPDATE ping SET state = CASE state WHEN 'ping' THEN 'pong' ELSE 'ping' END RETURNING state"
    return Ping(state=await database.fetchval(flip))
