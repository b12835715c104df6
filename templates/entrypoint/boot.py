"""What the backend's entry point does in the service's own Python.

    boot.py migrate          checkpoint 2: the right database, a lock, `alembic upgrade head`, a free port
    boot.py watch PID        checkpoint 3: ok at the first local 200 of /health, fail when PID ends before

Reads DATABASE_URL, INFRA_ENV, INFRA_DEPLOY, INFRA_STARTED, INFRA_SECRETS_READ, BIND, PORT and the
INFRA_*_SECONDS limits.

Where OTEL_EXPORTER_OTLP_ENDPOINT is set, each checkpoint that was passed or failed is sent there as well, as
an OTLP log record. The watcher sends while nobody waits for it; a migration that fails takes up to 1 s more.
A receiver that is down changes nothing. Checkpoint 1 fails before Python runs: that is in the log alone.
"""

import os
import re
import socket
import sys
import threading
import time
import traceback
from urllib.parse import unquote, urlsplit

LOCK = 0x696E667261  # any number will do, as long as every release uses the same one
SECRET = re.compile(r"(URL|TOKEN|PASSWORD|KEY)$|SECRET")


def limit(name: str, fallback: float) -> float:
    return float(os.environ.get(f"INFRA_{name}_SECONDS", fallback))


def elapsed(mark: str = "INFRA_STARTED") -> float:
    """Give the seconds since the entry point noted this moment, on the same clock as its shell part."""
    began = int(os.environ[mark])
    try:
        with open("/proc/uptime") as uptime:
            return float(uptime.read().split()[0]) - began / 100
    except OSError:
        return time.time() - began / 100


def checkpoint(number: int, state: str, name: str, message: str, reason: str = "") -> None:
    because = f" reason={reason}" if reason else ""
    deploy = os.environ.get("INFRA_DEPLOY", "-")
    print(
        f"[CHECKPOINT-{number}] state={state} name={name} deploy={deploy} t={elapsed():.2f}{because} "
        f'msg="{on_one_line(message)}"',
        flush=True,
    )


def on_one_line(message: str) -> str:
    return " ".join(message.replace('"', "'").split())[:300]


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
        print(without_secrets(traceback.format_exc()), flush=True)
        fail(2, "migrations", "migration_error", f"{type(error).__name__}: {error}")
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
    earlier = tell(*passed_before(3))
    state, message, reason = wait_for_server(pid)
    checkpoint(3, state, "server", message, reason)
    for sender in (earlier, tell(record(3, state, "server", message, reason))):
        sender.join(2)


def wait_for_server(pid: int) -> tuple:
    """Give the verdict on the server: its state, in words, and the reason where it is bad."""
    seconds = limit("SERVER", 10)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answers():
            return "ok", "First local 200 of /health", ""
        if not alive(pid):
            return "fail", "The server ended before it answered", "exited"
        time.sleep(limit("POLL", 0.1))
    return "fail", f"No 200 of /health in {seconds:.0f} s", "health_timeout"


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


def fail(number: int, name: str, reason: str, message: str) -> None:
    safe = without_secrets(message)
    checkpoint(number, "fail", name, safe, reason)
    tell(*passed_before(number), record(number, "fail", name, safe, reason)).join(1)
    raise SystemExit(1)


def without_secrets(words: object) -> str:
    """Give words with the name of a secret in place of its value, or of the password in its address."""
    text, names = str(words), {}
    for name, value in os.environ.items():
        if SECRET.search(name) and not name.startswith(("INFRA_", "PUBLIC_")):
            passwords = re.findall(r"://[^/@]*:([^/@]+)@", value)
            names |= dict.fromkeys([value, *passwords, *map(unquote, passwords)], name)
    for value in sorted(names, key=len, reverse=True):
        text = text.replace(value, names[value]) if len(value) >= 8 else text
    return text


def passed_before(number: int) -> list:
    """Give the records of the checkpoints that were passed before this one; the newest of them just now."""
    passed = [record(1, "ok", "secrets", "Secrets are complete", ago=elapsed("INFRA_SECRETS_READ"))]
    return [*passed, record(2, "ok", "migrations", "Migrations are done")] if number == 3 else passed


def record(number: int, state: str, name: str, message: str, reason: str = "", ago: float = 0) -> dict:
    """Give a checkpoint that was reached `ago` seconds ago as an OTLP log record (JSON encoding)."""
    facts = {"checkpoint.name": name, "checkpoint.state": state, "checkpoint.reason": reason}
    return {
        "timeUnixNano": str(int((time.time() - ago) * 1e9)),
        "severityNumber": 17 if state == "fail" else 9,
        "severityText": "ERROR" if state == "fail" else "INFO",
        "body": {"stringValue": on_one_line(message)},
        "attributes": [
            {"key": "checkpoint.number", "value": {"intValue": str(number)}},
            *({"key": key, "value": {"stringValue": value}} for key, value in facts.items()),
        ],
    }


def tell(*records: dict) -> threading.Thread:
    """Begin to send records, and give the thread that does; it is nothing that the end has to wait for."""
    sender = threading.Thread(target=send, args=(records,), daemon=True)
    sender.start()
    return sender


def send(records: tuple) -> None:
    """Send records, if there is a receiver; whatever it does, the start goes on."""
    import contextlib

    endpoint = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    if endpoint:
        with contextlib.suppress(Exception):
            post(f"{endpoint.rstrip('/')}/v1/logs", records)


def post(address: str, records: tuple) -> None:
    import http.client
    import json

    logs = {"scope": {"name": "infra.checkpoints"}, "logRecords": list(records)}
    body = json.dumps({"resourceLogs": [{"resource": resource(), "scopeLogs": [logs]}]})
    place = urlsplit(address)
    connect = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
    connection = connect(place.netloc, timeout=2)
    connection.request("POST", place.path, body.encode(), {"Content-Type": "application/json"})
    connection.getresponse().read(65_536)


def resource() -> dict:
    """Give what the records are told of: the service, and what the engine says about it."""
    pairs = [pair.partition("=") for pair in os.environ["OTEL_RESOURCE_ATTRIBUTES"].split(",")]
    known = {key: unquote(text) for key, _, text in pairs} | {"service.name": os.environ["OTEL_SERVICE_NAME"]}
    return {"attributes": [{"key": key, "value": {"stringValue": text}} for key, text in known.items()]}


if __name__ == "__main__":
    if sys.argv[1:2] == ["watch"]:
        watch(int(sys.argv[2]))
    elif sys.argv[1:2] == ["downgrade"]:
        downgrade(sys.argv[2])
    else:
        migrate()
