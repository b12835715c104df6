"""Bank statements, each beside what the books say of the same account and day. Only after login."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from src.accounts import Code
from src.journal import Amount
from src.sessions import CurrentUser
from src.stores import Database

router = APIRouter(prefix="/statements", tags=["reconciliation"])


class NewStatement(BaseModel):
    account: Code
    day: date
    balance: Amount


class Statement(NewStatement):
    """A statement is reconciled when its balance equals the booked one."""

    booked: Decimal
    difference: Decimal


@router.get("")
async def read_all(_: CurrentUser, database: Database) -> list[Statement]:
    """All statements, the newest day first."""
    rows = await database.fetch(
        """SELECT code AS account, day, balance, booked, balance - booked AS difference
           FROM statements s JOIN accounts a ON a.id = account_id
           CROSS JOIN LATERAL (
             SELECT coalesce(sum(amount), 0.00) AS booked
             FROM journal_lines l JOIN journal_entries e ON e.id = entry_id
             WHERE l.account_id = s.account_id AND booked_on <= day) books
           ORDER BY day DESC, code"""
    )
    return [Statement(**row) for row in rows]


@router.post("", status_code=201)
async def create(statement: NewStatement, user: CurrentUser, database: Database) -> NewStatement:
    """Keep a statement; the same account and day again replaces it. 422 for an unknown account."""
    done = await database.execute(
        """INSERT INTO statements (account_id, day, balance, uploaded_by)
           SELECT id, $2, $3, $4 FROM accounts WHERE code = $1
           ON CONFLICT (account_id, day) DO UPDATE SET balance = $3, uploaded_by = $4""",
        statement.account,
        statement.day,
        statement.balance,
        user.name,
    )
    if done == "INSERT 0 0":
        raise HTTPException(422, f"unknown account: {statement.account}")
    return statement
