"""The journal: every entry moves as much in as it moves out."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Annotated, Self

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field, model_validator

from src.accounts import Code, Text
from src.stores import Database

router = APIRouter(prefix="/journal", tags=["ledger"])

Amount = Annotated[Decimal, Field(max_digits=14, decimal_places=2)]


class Line(BaseModel):
    """One side of an entry: a positive amount debits the account, a negative one credits it."""

    account: Code
    amount: Amount


class NewEntry(BaseModel):
    booked_on: date
    description: Text
    lines: list[Line] = Field(min_length=2, max_length=100)

    @model_validator(mode="after")
    def _balances(self) -> Self:
        if any(line.amount == 0 for line in self.lines):
            raise ValueError("a line moves nothing")
        if excess := sum(line.amount for line in self.lines):
            raise ValueError(f"debits and credits differ by {abs(excess)}")
        return self


class Entry(NewEntry):
    id: int


@router.get("")
async def read_latest(database: Database, limit: Annotated[int, Field(ge=1, le=500)] = 100) -> list[Entry]:
    """The newest entries first."""
    rows = await database.fetch(
        """SELECT e.id, booked_on, description,
             json_agg(json_build_object('account', code, 'amount', amount::text) ORDER BY l.id) AS lines
           FROM journal_entries e JOIN journal_lines l ON entry_id = e.id JOIN accounts a ON account_id = a.id
           GROUP BY e.id ORDER BY booked_on DESC, e.id DESC LIMIT $1""",
        limit,
    )
    return [Entry(**dict(row) | {"lines": json.loads(row["lines"])}) for row in rows]


@router.post("", status_code=201)
async def create(entry: NewEntry, database: Database) -> Entry:
    """Book an entry, whole or not at all; 422 when it does not balance or names an unknown account."""
    async with database.acquire() as connection, connection.transaction():
        codes = [line.account for line in entry.lines]
        accounts = dict(
            await connection.fetch("SELECT code, id FROM accounts WHERE code = ANY($1::text[])", codes)
        )
        if unknown := sorted(set(codes) - accounts.keys()):
            raise HTTPException(422, f"unknown account: {', '.join(unknown)}")
        number = await connection.fetchval(
            "INSERT INTO journal_entries (booked_on, description) VALUES ($1, $2) RETURNING id",
            entry.booked_on,
            entry.description,
        )
        await connection.executemany(
            "INSERT INTO journal_lines (entry_id, account_id, amount) VALUES ($1, $2, $3)",
            [(number, accounts[line.account], line.amount) for line in entry.lines],
        )
    return Entry(id=number, **entry.model_dump())
