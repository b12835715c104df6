"""What all requests share: the ledger, the cache, the bucket and the AI provider, real or in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import Depends, Request

from src import bucket, cache, ledger, postgres
from src.config import Settings
from src.remote import AiProvider


class Checked(Protocol):
    """Something that can be asked whether it answers."""

    async def check(self, seconds: float) -> None:
        """Return when it can be used, raise otherwise."""


@dataclass(frozen=True)
class Stores:
    """The providers of this process; None for one that is not set."""

    ledger: ledger.Ledger
    cache: cache.Cache
    bucket: bucket.Bucket | None
    ai: Checked | None


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Stores]:
    """The providers, without a connection yet: one that is down shows in /health, not at start."""
    if settings.is_mocked:
        from src import memory

        yield Stores(memory.MemoryLedger(), memory.MemoryCache(), memory.MemoryBucket(), memory.Memory())
        return
    async with (
        cache.opened(settings.redis_url.get_secret_value()) as kept,
        postgres.opened(settings.database_url.get_secret_value()) as books,
    ):
        files = bucket.S3Bucket(settings) if settings.has_s3 else None
        yield Stores(books, kept, files, AiProvider(settings) if settings.has_ai else None)


async def _stores(request: Request) -> Stores:
    opened: Stores = request.app.state.stores
    return opened


AllStores = Annotated[Stores, Depends(_stores)]


async def _ledger(stores: AllStores) -> ledger.Ledger:
    return stores.ledger


async def _cache(stores: AllStores) -> cache.Cache:
    return stores.cache


async def _bucket(stores: AllStores) -> bucket.Bucket | None:
    return stores.bucket


Ledger = Annotated[ledger.Ledger, Depends(_ledger)]
Cache = Annotated[cache.Cache, Depends(_cache)]
Bucket = Annotated[bucket.Bucket | None, Depends(_bucket)]
