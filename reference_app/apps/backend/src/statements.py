"""Bank statements, each beside what the books say of the same account and day. Only after login."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException

from src.ledger import NewStatement, Statement, UnknownAccount
from src.sessions import CurrentUser
from src.stores import Ledger

router = APIRouter(prefix="/statements", tags=["reconciliation"])


@router.get("")
async def read_all(_: CurrentUser, ledger: Ledger) -> list[Statement]:
    """All statements, the newest day first."""
    return await ledger.statements()


@router.post("", status_code=201)
async def create(statement: NewStatement, user: CurrentUser, ledger: Ledger) -> NewStatement:
    """Keep a statement; the same account and day again replaces it. 422 for an unknown account."""
    try:
        await ledger.keep_statement(statement, user.name)
    except UnknownAccount as unknown:
        raise HTTPException(422, f"unknown account: {unknown}") from None
    return statement
