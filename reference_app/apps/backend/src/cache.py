"""What may be forgotten: sessions, kept in Redis for a while."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

CONNECT_SECONDS = 2
ANSWER_SECONDS = 5


class Cache(Protocol):
    """Texts by key, each with an end. An error of the store itself is passed on as it is."""

    async def check(self, seconds: float) -> None:
        """Return when the store answers in time, raise whatever it raises otherwise."""

    async def get(self, key: str) -> str | None: ...

    async def put(self, key: str, value: str, seconds: int) -> None: ...

    async def drop(self, key: str) -> None: ...


class RedisCache:
    """A cache in Redis; a broken connection is replaced at its next use."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def check(self, seconds: float) -> None:  # noqa: ARG002  # the caller's own limit holds, too
        await self._redis.ping()

    async def get(self, key: str) -> str | None:
        found = await self._redis.get(key)
        return found.decode() if isinstance(found, bytes) else found

    async def put(self, key: str, value: str, seconds: int) -> None:
        await self._redis.set(key, value, ex=seconds)

    async def drop(self, key: str) -> None:
        await self._redis.delete(key)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[RedisCache]:
    """The cache at this address, without a connection yet."""
    redis = Redis.from_url(
        url,
        decode_responses=True,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 1),
    )
    async with redis:
        yield RedisCache(redis)
