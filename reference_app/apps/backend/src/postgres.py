"""The ledger in PostgreSQL."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import asyncpg

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

CONNECT_SECONDS = 2
ANSWER_SECONDS = 5


class PostgresLedger:
    """A ledger over a pool, which replaces a broken connection at its next use."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def check(self, seconds: float) -> None:
        # The limit holds for giving the connection back, too: a frozen server would keep us there.
        async with self._pool.acquire(timeout=seconds) as connection:
            await connection.fetchval("SELECT 1")

    async def ping(self) -> PingState:
        state: PingState = await self._pool.fetchval("SELECT state FROM ping")
        return state

    async def toggle(self) -> PingState:
        flip = "UPDATE ping SET state = CASE state WHEN 'ping' THEN 'pong' ELSE 'ping' END RETURNING state"
        state: PingState = await self._pool.fetchval(flip)
        return state

    async def accounts(self) -> list[Account]:
        rows = await self._pool.fetch(
            """SELECT code, name, kind, coalesce(sum(amount), 0.00) AS balance
               FROM accounts LEFT JOIN journal_lines ON account_id = accounts.id
               GROUP BY accounts.id ORDER BY code"""
        )
        return [Account(**row) for row in rows]

    async def open_account(self, account: NewAccount) -> Account:
        insert = "INSERT INTO accounts (code, name, kind) VALUES ($1, $2, $3)"
        try:
            await self._pool.execute(insert, account.code, account.name, account.kind)
        except asyncpg.UniqueViolationError:
            raise Taken from None
        return Account(**account.model_dump(), balance=Decimal("0.00"))

    async def entries(self, limit: int) -> list[Entry]:
        rows = await self._pool.fetch(
            """SELECT e.id, booked_on, description,
                 json_agg(json_build_object('account', code, 'amount', amount::text) ORDER BY l.id) AS lines
               FROM journal_entries e JOIN journal_lines l ON entry_id = e.id
               JOIN accounts a ON account_id = a.id
               GROUP BY e.id ORDER BY booked_on DESC, e.id DESC LIMIT $1""",
            limit,
        )
        return [Entry(**dict(row) | {"lines": json.loads(row["lines"])}) for row in rows]

    async def book(self, entry: NewEntry) -> Entry:
        async with self._pool.acquire() as connection, connection.transaction():
            codes = [line.account for line in entry.lines]
            query = "SELECT code, id FROM accounts WHERE code = ANY($1::text[])"
            accounts = dict(await connection.fetch(query, codes))
            if unknown := sorted(set(codes) - accounts.keys()):
                raise UnknownAccount(", ".join(unknown))
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

    async def statements(self) -> list[Statement]:
        rows = await self._pool.fetch(
            """SELECT code AS account, day, balance, booked, balance - booked AS difference
               FROM statements s JOIN accounts a ON a.id = account_id
               CROSS JOIN LATERAL (
                 SELECT coalesce(sum(amount), 0.00) AS booked
                 FROM journal_lines l JOIN journal_entries e ON e.id = entry_id
                 WHERE l.account_id = s.account_id AND booked_on <= day) books
               ORDER BY day DESC, code"""
        )
        return [Statement(**row) for row in rows]

    async def keep_statement(self, statement: NewStatement, user: str) -> None:
        done = await self._pool.execute(
            """INSERT INTO statements (account_id, day, balance, uploaded_by)
               SELECT id, $2, $3, $4 FROM accounts WHERE code = $1
               ON CONFLICT (account_id, day) DO UPDATE SET balance = $3, uploaded_by = $4""",
            statement.account,
            statement.day,
            statement.balance,
            user,
        )
        if done == "INSERT 0 0":
            raise UnknownAccount(statement.account)

    async def credentials(self, user: str) -> Credentials | None:
        row = await self._pool.fetchrow("SELECT salt, password_hash FROM users WHERE name = $1", user)
        return Credentials(*row) if row else None

    async def add_user(self, user: str, credentials: Credentials) -> None:
        insert = "INSERT INTO users (name, salt, password_hash) VALUES ($1, $2, $3)"
        try:
            await self._pool.execute(insert, user, *credentials)
        except asyncpg.UniqueViolationError:
            raise Taken from None


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[PostgresLedger]:
    """The ledger at this address, without a connection yet: a database that is down shows when asked."""
    pool = asyncpg.create_pool(
        url.replace("+asyncpg", "", 1),
        min_size=0,
        max_size=10,
        timeout=CONNECT_SECONDS,
        command_timeout=ANSWER_SECONDS,
    )
    async with pool:
        try:
            yield PostgresLedger(pool)
        finally:
            await _close(pool)


async def _close(pool: asyncpg.Pool) -> None:
    try:
        await asyncio.wait_for(pool.close(), CONNECT_SECONDS)
    except TimeoutError:
        pool.terminate()
