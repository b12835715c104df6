"""What the backend's entry point does in the service's own Python.

    boot.py migrate          checkpoint 2: the right database, a lock, `alembic upgrade head`, a free port
    boot.py watch PID        checkpoint 3: ok at the first local 200 of /health, fail when PID ends before

Reads DATABASE_URL, INFRA_ENV, INFRA_DEPLOY, INFRA_STARTED, BIND, PORT and the INFRA_*_SECONDS limits.
"""

import os
import socket
import sys
import time
import traceback

LOCK = 0x696E667261  # any number will do, as long as every release uses the same one


def limit(name: str, fallback: float) -> float:
    return float(os.environ.get(f"INFRA_{name}_SECONDS", fallback))


def elapsed() -> float:
    """Give the seconds since the entry point started, on the same clock as its shell part."""
    began = int(os.environ["INFRA_STARTED"])
    try:
        with open("/proc/uptime") as uptime:
            return float(uptime.read().split()[0]) - began / 100
    except OSError:
        return time.time() - began / 100


def checkpoint(number: int, state: str, name: str, message: str, reason: str = "") -> None:
    because = f" reason={reason}" if reason else ""
    words = " ".join(message.replace('"', "'").split())[:300]
    deploy = os.environ.get("INFRA_DEPLOY", "-")
    print(
        f"[CHECKPOINT-{number}] state={state} name={name} deploy={deploy} t={elapsed():.2f}{because} "
        f'msg="{words}"',
        flush=True,
    )


class Stop(Exception):
    """Ends the start: the reason is one of the checkpoint's own words."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def migrate() -> None:
    import asyncio

    checkpoint(2, "start", "migrations", "Migrating")
    try:
        revision = asyncio.run(asyncio.wait_for(migrate_under_lock(), limit("MIGRATION", 30)))
    except Stop as stop:
        fail(2, "migrations", stop.reason, str(stop))
    except TimeoutError:
        fail(2, "migrations", "migration_error", f"Not finished after {limit('MIGRATION', 30):.0f} s")
    except Exception as error:
        print(without_url(traceback.format_exc()), flush=True)
        fail(2, "migrations", "migration_error", f"{type(error).__name__}: {without_url(error)}")
    checkpoint(2, "ok", "migrations", f"Database is at {revision}")
    checkpoint(3, "start", "server", "Starting the server")
    refuse_taken_port()


async def migrate_under_lock() -> str:
    """Give the revision that the database is at, and after `alembic upgrade head` where that had to run."""
    import asyncio

    connection = await connect()
    try:
        await refuse_foreign_database(connection)
        await take_lock(connection)
        declared = await asyncio.to_thread(declarations)
        at = await current_revision(connection)
        if at and at not in declared:
            await refuse_unless_compatible(connection, at, set(declared))
            return at
        await asyncio.to_thread(upgrade)
        await declare(connection, declared)
        return await current_revision(connection) or "no revision"
    finally:
        await connection.close(timeout=2)


def declarations():
    """Give what each migration of this release says of itself: its predecessor and its way back."""
    from alembic.script import ScriptDirectory

    found = ScriptDirectory.from_config(alembic()).walk_revisions()
    return {one.revision: (one.down_revision, getattr(one.module, "rollback", "")) for one in found}


async def declare(connection, declared) -> None:
    """Keep the declarations in the database: an older release has to know what a newer one did."""
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS infra_migrations "
        "(revision text PRIMARY KEY, predecessor text, rollback text)"
    )
    known = {row["revision"] for row in await connection.fetch("SELECT revision FROM infra_migrations")}
    rows = [(name, *words) for name, words in declared.items() if name not in known]
    await connection.executemany("INSERT INTO infra_migrations VALUES ($1, $2, $3)", rows)


async def refuse_unless_compatible(connection, at: str, mine: set) -> None:
    """Let an older release run on a newer schema only where every step ahead is declared compatible."""
    while at not in mine:
        query = "SELECT predecessor, rollback FROM infra_migrations WHERE revision = $1"
        row = await connection.fetchrow(query, at)
        if row is None or row["rollback"] != "compatible":
            said = row["rollback"] or "nothing" if row else "nothing"
            words = f"The database is at {at}, newer than this release; its way back is declared: {said}"
            raise Stop("migration_error", words)
        at = row["predecessor"]


async def connect():
    """Give a connection; only a refused or broken connection is tried again."""
    import asyncio

    import asyncpg

    url = os.environ["DATABASE_URL"].replace("postgresql+asyncpg://", "postgresql://", 1)
    for attempt in range(1, 11):
        try:
            return await asyncpg.connect(url, timeout=5)
        except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError) as error:
            raise Stop("auth_failed", str(error)) from error
        except (
            OSError,
            TimeoutError,
            asyncpg.CannotConnectNowError,
            asyncpg.TooManyConnectionsError,
        ) as error:
            if attempt == 10:
                raise Stop("db_unreachable", str(error)) from error
            checkpoint(2, "retry", "migrations", f"Database does not answer, try {attempt}", "db_unreachable")
            await asyncio.sleep(limit("RETRY", 5))
    raise AssertionError


async def refuse_foreign_database(connection) -> None:
    wanted = f"infra:env:{os.environ['INFRA_ENV']}"
    query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
    marker = await connection.fetchval(query)
    if marker != wanted:
        raise Stop("env_mismatch", f"The database is marked {marker!r}, this environment needs {wanted!r}")


async def take_lock(connection) -> None:
    import asyncio

    deadline = time.monotonic() + limit("LOCK", 20)
    while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):
        if time.monotonic() > deadline:
            raise Stop("lock_timeout", "Another migration holds the lock")
        await asyncio.sleep(0.1)


async def current_revision(connection) -> str:
    if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
        return ""
    return await connection.fetchval("SELECT version_num FROM alembic_version") or ""


def alembic():
    from alembic.config import Config

    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    return Config("alembic.ini")


def upgrade() -> None:
    from alembic import command

    command.upgrade(alembic(), "head")


def downgrade(revision: str) -> None:
    """Take the database back: only the engine asks for it, before it starts an older release."""
    from alembic import command

    command.downgrade(alembic(), revision)


def refuse_taken_port() -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((os.environ["BIND"], int(os.environ["PORT"])))
        except OSError as error:
            fail(3, "server", "port_in_use", f"{os.environ['BIND']}:{os.environ['PORT']}: {error.strerror}")


def watch(pid: int) -> None:
    """Report checkpoint 3; the server is the process that the entry point became."""
    seconds = limit("SERVER", 10)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answers():
            checkpoint(3, "ok", "server", "First local 200 of /health")
            return
        if not alive(pid):
            checkpoint(3, "fail", "server", "The server ended before it answered", "exited")
            return
        time.sleep(limit("POLL", 0.1))
    checkpoint(3, "fail", "server", f"No 200 of /health in {seconds:.0f} s", "health_timeout")


def answers() -> bool:
    try:
        with socket.create_connection(("127.0.0.1", int(os.environ["PORT"])), timeout=2) as peer:
            peer.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return peer.recv(64).split(b" ")[1:2] == [b"200"]
    except OSError:
        return False


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def without_url(words: object) -> str:
    """Give words without the addresses that hold passwords."""
    text = str(words)
    for name in ("DATABASE_URL", "REDIS_URL"):
        text = text.replace(os.environ.get(name) or "\0", name)
    return text


def fail(number: int, name: str, reason: str, message: str) -> None:
    checkpoint(number, "fail", name, message, reason)
    raise SystemExit(1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["watch"]:
        watch(int(sys.argv[2]))
    elif sys.argv[1:2] == ["downgrade"]:
        downgrade(sys.argv[2])
    else:
        migrate()
