"""What `db.*` does in the application's own Python, in its backend's folder: Alembic, behind boot.py's guard.

    database.py migrate             to the newest migration, as the entry point does
    database.py current             where the database is, and what is ahead of it
    database.py history             every migration, the newest first
    database.py downgrade REVISION  back to this one, or to `base`

Reads DATABASE_URL and INFRA_ENV. Prints one JSON object; exit 0, or 1 with `reason` and `error` in it.
"""

import asyncio
import contextlib
import json
import os
import sys
import traceback

import boot


async def migrate() -> dict:
    before = await current()
    revision = await boot.migrate_under_lock()
    return {**before, "before": before["revision"], "revision": revision, "ahead": []}


async def current() -> dict:
    async with guarded() as connection:
        return standing(await boot.current_revision(connection))


async def history() -> dict:
    found = await current()
    return {**found, "migrations": await asyncio.to_thread(migrations)}


async def downgrade(revision: str) -> dict:
    async with guarded() as connection:
        await boot.take_lock(connection)
        before = await boot.current_revision(connection)
        await asyncio.to_thread(boot.downgrade, revision)
        return {**standing(await boot.current_revision(connection)), "before": before}


@contextlib.asynccontextmanager
async def guarded():
    """A connection to the database of this environment and of no other."""
    connection = await boot.connect()
    try:
        await boot.refuse_foreign_database(connection)
        yield connection
    finally:
        await connection.close(timeout=2)


def standing(revision: str) -> dict:
    """Where this revision stands among the migrations of the checkout."""
    names = [one["revision"] for one in migrations()]
    is_known = not revision or revision in names
    ahead = names[: names.index(revision)] if revision in names else names if not revision else []
    return {"revision": revision, "is_known": is_known, "ahead": ahead[::-1]}


def migrations() -> list:
    """Every migration, the newest first: its predecessor, what it says of itself, and its way back."""
    from alembic.script import ScriptDirectory

    found = ScriptDirectory.from_config(boot.alembic()).walk_revisions()
    return [
        {
            "revision": one.revision,
            "predecessor": str(one.down_revision or ""),
            "says": one.doc,
            "rollback": getattr(one.module, "rollback", ""),
        }
        for one in found
    ]


def main(words: list) -> int:
    os.environ.setdefault("INFRA_STARTED", "0")
    tasks = {"migrate": migrate, "current": current, "history": history, "downgrade": downgrade}
    try:
        answer = asyncio.run(tasks[words[0]](*words[1:]))
    except boot.Stop as stop:
        answer = {"reason": stop.reason, "error": boot.without_secrets(stop)}
    except Exception as error:
        print(boot.without_secrets(traceback.format_exc()), file=sys.stderr)
        said = f"{type(error).__name__}: {error}"
        answer = {"reason": "migration_error", "error": boot.on_one_line(boot.without_secrets(said))}
    print(json.dumps(answer))
    return int("error" in answer)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
