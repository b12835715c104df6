"""The journal: every entry moves as much in as it moves out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException
from pydantic import Field

from src.ledger import Entry, NewEntry, UnknownAccount
from src.sessions import CurrentUser
from src.stores import Ledger

router = APIRouter(prefix="/journal", tags=["ledger"])


@router.get("")
async def read_latest(ledger: Ledger, limit: Annotated[int, Field(ge=1, le=500)] = 100) -> list[Entry]:
    """The newest entries first."""
    return await ledger.entries(limit)


@router.post("", status_code=201)
async def create(entry: NewEntry, _: CurrentUser, ledger: Ledger) -> Entry:
    """Book an entry, whole or not at all; 422 when it does not balance or names an unknown account."""
    try:
        return await ledger.book(entry)
    except UnknownAccount as unknown:
        raise HTTPException(422, f"unknown account: {unknown}") from None
