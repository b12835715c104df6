"""The chart of accounts."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException

from src.ledger import Account, NewAccount, Taken
from src.sessions import CurrentUser
from src.stores import Ledger

router = APIRouter(prefix="/accounts", tags=["ledger"])


@router.get("")
async def read_all(ledger: Ledger) -> list[Account]:
    """All accounts with their balances, by code."""
    return await ledger.accounts()


@router.post("", status_code=201)
async def create(account: NewAccount, _: CurrentUser, ledger: Ledger) -> Account:
    """Open an account; 409 when its code is taken."""
    try:
        return await ledger.open_account(account)
    except Taken:
        raise HTTPException(409, f"account {account.code} exists already") from None
