"""GET /health: whether this process serves, and whether what it needs answers."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from src.checks import DEPENDENCIES, Dependency, fault
from src.stores import Stores

CHECK_SECONDS = 1.5

router = APIRouter()


@router.get("/health", tags=["health"])
async def health(request: Request, full: bool = False) -> JSONResponse:
    """Status, commit and version; with `full=1` the kind of providers, and an entry for each dependency."""
    settings = request.app.state.settings
    asked = [dependency for dependency in DEPENDENCIES if full or dependency.is_vital]
    entries = await asyncio.gather(*(_entry(each, request.app.state.stores) for each in asked))
    is_healthy = not any(entry["required"] and entry["status"] == "error" for entry in entries)
    answer: dict[str, Any] = {
        "status": "healthy" if is_healthy else "unhealthy",
        "git_sha": settings.git_sha,
        "version": settings.version,
    }
    if full:
        names = [dependency.name for dependency in asked]
        answer["providers"] = settings.providers
        answer["dependencies"] = dict(zip(names, entries, strict=True))
    return JSONResponse(answer, 200 if is_healthy else 503, {"Cache-Control": "no-store"})


async def _entry(dependency: Dependency, stores: Stores) -> dict[str, Any]:
    """What one dependency says, `ms` in milliseconds; one that is not set is skipped and not required."""
    store = dependency.of(stores)
    if store is None:
        return {"status": "skipped", "required": False, "ms": 0.0}
    started = time.monotonic()
    reason = await fault(store, CHECK_SECONDS)
    entry = {
        "status": "error" if reason else "ok",
        "required": dependency.is_required,
        "ms": round((time.monotonic() - started) * 1000, 1),
    }
    return entry | ({"reason": reason} if reason else {})
