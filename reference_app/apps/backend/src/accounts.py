"""The chart of accounts."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

import asyncpg
from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, StringConstraints

from src.stores import Database

router = APIRouter(prefix="/accounts", tags=["ledger"])

Code = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z.-]{1,20}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=r"^[^\x00-\x1f]+$")]


class NewAccount(BaseModel):
    code: Code
    name: Text
    kind: Literal["asset", "liability", "equity", "income", "expense"]


class Account(NewAccount):
    """An account; a positive balance is a debit balance."""

    balance: Decimal


@router.get("")
async def read_all(database: Database) -> list[Account]:
    """All accounts with their balances, by code."""
    rows = await database.fetch(
        """SELECT code, name, kind, coalesce(sum(amount), 0.00) AS balance
           FROM accounts LEFT JOIN journal_lines ON account_id = accounts.id
           GROUP BY accounts.id ORDER BY code"""
    )
    return [Account(**row) for row in rows]


@router.post("", status_code=201)
async def create(account: NewAccount, database: Database) -> Account:
    """Open an account; 409 when its code is taken."""
    insert = "INSERT INTO accounts (code, name, kind) VALUES ($1, $2, $3)"
    try:
        await database.execute(insert, account.code, account.name, account.kind)
    except asyncpg.UniqueViolationError:
        raise HTTPException(409, f"account {account.code} exists already") from None
    return Account(**account.model_dump(), balance=Decimal("0.00"))
