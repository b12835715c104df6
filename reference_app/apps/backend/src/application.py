"""The application of given settings: what the server runs, and what tests ask."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from redis.exceptions import RedisError

from src import accounts, files, health, journal, misbehave, ping, sessions, statements, stores
from src.bodies import Bounded, say_what_is_wrong
from src.config import Settings
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
    document = "/openapi.json" if settings.has_docs else None  # without it there is no page of it either
    app = FastAPI(title="Finance Report", version=settings.version, lifespan=_lifespan, openapi_url=document)
    app.state.settings = settings
    for part in (health, ping, accounts, journal, sessions, files, statements):
        app.include_router(part.router)
    for error in UNREACHABLE:
        app.add_exception_handler(error, _unreachable)
    app.exception_handler(RequestValidationError)(say_what_is_wrong)
    app.add_middleware(Bounded, larger={f"{files.router.prefix}/": files.LIMIT})
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
