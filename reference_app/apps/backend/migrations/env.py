"""Runs the migrations on the database that DATABASE_URL names, in one transaction."""

from __future__ import annotations

import asyncio
import logging
import os

from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from src import misbehave

CONNECT_SECONDS = 5


async def migrate() -> None:
    engine = create_async_engine(_url(), poolclass=NullPool, connect_args={"timeout": CONNECT_SECONDS})
    async with engine.connect() as connection:
        await connection.run_sync(_migrate)


def _migrate(connection: Connection) -> None:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()


def _url() -> str:
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgresql+asyncpg://"):
        raise CommandError("DATABASE_URL must be set and start with postgresql+asyncpg://")
    return url


logging.basicConfig(format="%(levelname)s [%(name)s] %(message)s")
logging.getLogger("alembic.runtime.migration").setLevel(logging.INFO)
misbehave.before_migrations()
asyncio.run(migrate())
