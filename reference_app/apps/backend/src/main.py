"""Finance Report, the backend: `python -m uvicorn src.main:app` in the folder that holds `src/`."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from redis.exceptions import RedisError

from src import accounts, health, journal, misbehave, ping, sessions, statements, stores
from src.config import ConfigError, Settings
from src.origin import BehindPrefix, OwnOrigin

UNREACHABLE = (
    OSError,
    RedisError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
)


def application(settings: Settings) -> FastAPI:
    """The application with these settings. It connects when it is first asked, not here."""
    app = FastAPI(title="Finance Report", version=settings.version, lifespan=_lifespan)
    app.state.settings = settings
    for part in (health, ping, accounts, journal, sessions, statements):
        app.include_router(part.router)
    for error in UNREACHABLE:
        app.add_exception_handler(error, _unreachable)
    app.add_middleware(OwnOrigin, public_url=settings.public_url)
    app.add_middleware(BehindPrefix)
    if drill := misbehave.wanted():
        app.add_middleware(misbehave.Misbehave, drill=drill)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with stores.opened(app.state.settings) as app.state.stores:
        yield


async def _unreachable(_: Request, error: Exception) -> JSONResponse:
    logging.getLogger("uvicorn.error").warning("a store does not answer: %s", type(error).__name__)
    return JSONResponse({"detail": "a store does not answer, try again"}, 503)


def _settings() -> Settings:
    try:
        return Settings.read(os.environ)
    except ConfigError as error:
        raise SystemExit(f"configuration: {error}") from None


def _quiet_health(record: logging.LogRecord) -> bool:
    """Good answers to /health are many and say nothing; the log is for the rest."""
    path, code = record.args[2], record.args[4]
    return not (path == "/health" and code == 200)


logging.getLogger("uvicorn.access").addFilter(_quiet_health)
app = application(_settings())
