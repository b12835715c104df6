"""The mock providers, PROVIDERS=mock: everything in this process, and gone with it."""

from __future__ import annotations

import itertools
import time
from datetime import UTC, date, datetime
from decimal import Decimal

from src.bucket import NoSuchFile, StoredFile
from src.ledger import (
    Account,
    Credentials,
    Entry,
    NewAccount,
    NewEntry,
    NewStatement,
    PingState,
    Statement,
    Taken,
    UnknownAccount,
)


class Memory:
    """What all of them share: memory always answers."""

    async def check(self, seconds: float) -> None:
        """Return: there is nothing to ask."""


class MemoryLedger(Memory):
    """A ledger that nobody else sees."""

    def __init__(self) -> None:
        self._state: PingState = "ping"
        self._accounts: dict[str, NewAccount] = {}
        self._entries: list[Entry] = []
        self._statements: dict[tuple[str, date], NewStatement] = {}
        self._users: dict[str, Credentials] = {}
        self._numbers = itertools.count(1)

    async def ping(self) -> PingState:
        return self._state

    async def toggle(self) -> PingState:
        self._state = "pong" if self._state == "ping" else "ping"
        return self._state

    async def accounts(self) -> list[Account]:
        return [
            Account(**one.model_dump(), balance=self._balance(code))
            for code, one in sorted(self._accounts.items())
        ]

    async def open_account(self, account: NewAccount) -> Account:
        if account.code in self._accounts:
            raise Taken
        self._accounts[account.code] = account
        return Account(**account.model_dump(), balance=Decimal("0.00"))

    async def entries(self, limit: int) -> list[Entry]:
        newest = sorted(self._entries, key=lambda entry: (entry.booked_on, entry.id), reverse=True)
        return newest[:limit]

    async def book(self, entry: NewEntry) -> Entry:
        self._require({line.account for line in entry.lines})
        booked = Entry(id=next(self._numbers), **entry.model_dump())
        self._entries.append(booked)
        return booked

    async def statements(self) -> list[Statement]:
        newest = sorted(self._statements.values(), key=lambda one: (-one.day.toordinal(), one.account))
        return [self._compared(one) for one in newest]

    async def keep_statement(self, statement: NewStatement, user: str) -> None:  # noqa: ARG002
        self._require({statement.account})
        self._statements[statement.account, statement.day] = statement

    async def credentials(self, user: str) -> Credentials | None:
        return self._users.get(user)

    async def add_user(self, user: str, credentials: Credentials) -> None:
        if user in self._users:
            raise Taken
        self._users[user] = credentials

    def _require(self, codes: set[str]) -> None:
        if unknown := sorted(codes - self._accounts.keys()):
            raise UnknownAccount(", ".join(unknown))

    def _compared(self, statement: NewStatement) -> Statement:
        booked = self._balance(statement.account, statement.day)
        difference = statement.balance - booked
        return Statement(**statement.model_dump(), booked=booked, difference=difference)

    def _balance(self, code: str, until: date = date.max) -> Decimal:
        booked = [line for entry in self._entries if entry.booked_on <= until for line in entry.lines]
        return sum((line.amount for line in booked if line.account == code), Decimal("0.00"))


class MemoryCache(Memory):
    """A cache that forgets in time, as Redis does."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, float]] = {}

    async def get(self, key: str) -> str | None:
        value, end = self._kept.get(key, ("", 0.0))
        return value if time.monotonic() < end else None

    async def put(self, key: str, value: str, seconds: int) -> None:
        self._kept[key] = value, time.monotonic() + seconds

    async def drop(self, key: str) -> None:
        self._kept.pop(key, None)


class MemoryBucket(Memory):
    """A bucket without an object store."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[bytes, datetime]] = {}

    async def put(self, name: str, content: bytes) -> None:
        self._files[name] = content, datetime.now(UTC)

    async def get(self, name: str) -> bytes:
        if name not in self._files:
            raise NoSuchFile(name)
        return self._files[name][0]

    async def list(self) -> list[StoredFile]:
        return [
            StoredFile(name=name, size=len(content), modified=moment)
            for name, (content, moment) in sorted(self._files.items())
        ]
