"""How tests ask: the application in this process, the database beside it, and the first steps of a user."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx

from src.application import application
from src.config import Settings


@asynccontextmanager
async def served(variables: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in front of the application with these variables."""
    app = application(Settings.read({"PUBLIC_URL": "http://test"} | variables))
    transport = httpx.ASGITransport(app)
    own_page = {"Origin": app.state.settings.public_url}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test", headers=own_page) as client,
    ):
        yield client


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the test's own, beside those of the application."""
    connection = await asyncpg.connect(url.replace("+asyncpg", "", 1), timeout=5)
    try:
        yield connection
    finally:
        await connection.close()


async def log_in(client: httpx.AsyncClient, name: str = "alice") -> None:
    """Make this user and keep the session."""
    login = {"name": name, "password": "long enough to be one"}
    answer = await client.post("/register", json=login)
    assert answer.status_code == 201, answer.text


CASH: dict[str, Any] = {"code": "1000", "name": "Cash", "kind": "asset"}
SALES: dict[str, Any] = {"code": "4000", "name": "Sales", "kind": "income"}


def sale(amount: str = "12.50", day: str = "2026-01-31") -> dict[str, Any]:
    """An entry of that amount."""
    lines = [{"account": "1000", "amount": amount}, {"account": "4000", "amount": f"-{amount}"}]
    return {"booked_on": day, "description": "Sale", "lines": lines}


async def open_accounts(client: httpx.AsyncClient) -> None:
    """Log in, and open the two accounts of a sale."""
    await log_in(client)
    for account in (CASH, SALES):
        assert (await client.post("/accounts", json=account)).status_code == 201
