"""The connections that all requests share: PostgreSQL and Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import asyncpg
from fastapi import Depends, Request
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

if TYPE_CHECKING:
    from src.config import Settings

CONNECT_SECONDS = 2
ANSWER_SECONDS = 5


@dataclass(frozen=True)
class Stores:
    """Both connection pools. A broken connection is replaced at its next use."""

    database: asyncpg.Pool
    cache: Redis


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Stores]:
    """The pools, without a connection yet: a store that is down shows in /health, not at start."""
    database = asyncpg.create_pool(
        settings.database_url.get_secret_value().replace("+asyncpg", "", 1),
        min_size=0,
        max_size=10,
        timeout=CONNECT_SECONDS,
        command_timeout=ANSWER_SECONDS,
    )
    cache = Redis.from_url(
        settings.redis_url.get_secret_value(),
        decode_responses=True,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 1),
    )
    async with cache, database:
        try:
            yield Stores(database, cache)
        finally:
            await _close(database)


async def _close(database: asyncpg.Pool) -> None:
    try:
        await asyncio.wait_for(database.close(), CONNECT_SECONDS)
    except TimeoutError:
        database.terminate()


async def _database(request: Request) -> asyncpg.Pool:
    return request.app.state.stores.database


async def _cache(request: Request) -> Redis:
    return request.app.state.stores.cache


Database = Annotated[asyncpg.Pool, Depends(_database)]
Cache = Annotated[Redis, Depends(_cache)]
