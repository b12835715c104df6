"""The ledger: its records, and what the application asks of the place that keeps them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, NamedTuple, Protocol, Self

from pydantic import BaseModel, Field, StringConstraints, model_validator

Code = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z.-]{1,20}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=r"^[^\x00-\x1f]+$")]
Amount = Annotated[Decimal, Field(max_digits=14, decimal_places=2)]
PingState = Literal["ping", "pong"]


class NewAccount(BaseModel):
    code: Code
    name: Text
    kind: Literal["asset", "liability", "equity", "income", "expense"]


class Account(NewAccount):
    """An account; a positive balance is a debit balance."""

    balance: Decimal


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


class NewStatement(BaseModel):
    account: Code
    day: date
    balance: Amount


class Statement(NewStatement):
    """A statement is reconciled when its balance equals the booked one."""

    booked: Decimal
    difference: Decimal


class Credentials(NamedTuple):
    """What is kept of a password."""

    salt: bytes
    password_hash: bytes


class Taken(Exception):
    """The code or name is in use."""


class UnknownAccount(Exception):
    """An account is named that the ledger does not have; the message is its code, or theirs."""


class Ledger(Protocol):
    """Where the books are kept. An error of the store itself is passed on as it is."""

    async def check(self, seconds: float) -> None:
        """Return when the store answers a question in time, raise whatever it raises otherwise."""

    async def ping(self) -> PingState: ...

    async def toggle(self) -> PingState: ...

    async def accounts(self) -> list[Account]:
        """All accounts with their balances, by code."""

    async def open_account(self, account: NewAccount) -> Account:
        """The account, opened; Taken when its code is in use."""

    async def entries(self, limit: int) -> list[Entry]:
        """The newest entries first."""

    async def book(self, entry: NewEntry) -> Entry:
        """The entry, booked whole; UnknownAccount, and nothing booked, otherwise."""

    async def statements(self) -> list[Statement]:
        """All statements, the newest day first."""

    async def keep_statement(self, statement: NewStatement, user: str) -> None:
        """Keep it in place of one of the same account and day; UnknownAccount otherwise."""

    async def credentials(self, user: str) -> Credentials | None: ...

    async def add_user(self, user: str, credentials: Credentials) -> None:
        """Add this user; Taken when the name is in use."""
