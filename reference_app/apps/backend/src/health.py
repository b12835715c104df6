"""GET /health: whether this process serves, and whether what it needs answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from src import remote
from src.config import Settings
from src.stores import Stores

CHECK_SECONDS = 1.5

router = APIRouter()


@router.get("/health", tags=["health"])
async def health(request: Request, full: bool = False) -> JSONResponse:
    """Status, commit and version; with `full=1` an entry for each dependency."""
    settings = request.app.state.settings
    asked = [dependency for dependency in DEPENDENCIES if full or dependency.is_vital]
    entries = await asyncio.gather(*(_entry(each, request.app.state.stores, settings) for each in asked))
    is_healthy = not any(entry["required"] and entry["status"] == "error" for entry in entries)
    answer: dict[str, Any] = {
        "status": "healthy" if is_healthy else "unhealthy",
        "git_sha": settings.git_sha,
        "version": settings.version,
    }
    if full:
        names = [dependency.name for dependency in asked]
        answer["dependencies"] = dict(zip(names, entries, strict=True))
    return JSONResponse(answer, 200 if is_healthy else 503, {"Cache-Control": "no-store"})


@dataclass(frozen=True)
class Dependency:
    """Something that the application uses. Vital ones are asked each time, the others for `full=1`."""

    name: str
    check: Callable[[Stores, Settings], Awaitable[None]]
    is_set: Callable[[Settings], bool]
    is_required: bool
    is_vital: bool


async def _postgres(stores: Stores, _: Settings) -> None:
    # The limit holds for giving the connection back, too: a frozen server would keep us there.
    async with stores.database.acquire(timeout=CHECK_SECONDS) as connection:
        await connection.fetchval("SELECT 1")


async def _redis(stores: Stores, _: Settings) -> None:
    await stores.cache.ping()


async def _s3(_: Stores, settings: Settings) -> None:
    await asyncio.to_thread(remote.require_bucket, settings)


async def _ai(_: Stores, settings: Settings) -> None:
    await asyncio.to_thread(remote.require_ai, settings)


# The AI provider is not ours: that it is down is worth a line, not an outage.
DEPENDENCIES = (
    Dependency("postgres", _postgres, lambda _: True, is_required=True, is_vital=True),
    Dependency("redis", _redis, lambda _: True, is_required=True, is_vital=True),
    Dependency("s3", _s3, lambda settings: settings.has_s3, is_required=True, is_vital=False),
    Dependency("ai", _ai, lambda settings: settings.has_ai, is_required=False, is_vital=False),
)


async def _entry(dependency: Dependency, stores: Stores, settings: Settings) -> dict[str, Any]:
    """What one dependency says, `ms` in milliseconds; one that is not set is skipped and not required."""
    if not dependency.is_set(settings):
        return {"status": "skipped", "required": False, "ms": 0.0}
    started = time.monotonic()
    reason = await _reason(dependency.check(stores, settings))
    entry = {
        "status": "error" if reason else "ok",
        "required": dependency.is_required,
        "ms": round((time.monotonic() - started) * 1000, 1),
    }
    return entry | ({"reason": reason} if reason else {})


async def _reason(answer: Awaitable[None]) -> str:
    """Why it cannot be used: the type of the error, since its text may hold an address. Empty when it can."""
    try:
        await asyncio.wait_for(answer, CHECK_SECONDS)
    except remote.Refused as refusal:
        return str(refusal)
    except Exception as error:  # noqa: BLE001  # whatever a driver raises, it cannot be used
        return type(error).__name__
    return ""
