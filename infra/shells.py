"""Interactive sessions with the stores of an environment."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from infra.model.addresses import LOOPBACK
from infra.model.errors import KnownBad, Unreachable
from infra.model.variables import seen_by
from infra.session import Session
from infra.targets.postgres import PROOF

SETTLED = {
    "PGREQUIREAUTH": PROOF,
    "PGCLIENTENCODING": "UTF8",
    "PGGSSENCMODE": "disable",
    "PGSSLMODE": "disable",
}


def postgres(session: Session, caller: Mapping[str, str], *, superuser: bool) -> None:
    """Run psql of the server's own version; the password is in its environment alone.

    A person at a terminal has the settings of their own `.psqlrc`, statements on stdin do not.
    """
    database = session.target.database
    key, user = ("POSTGRES_PASSWORD", "postgres") if superuser else ("APP_PASSWORD", database.role)
    values = session.keys.readable().get("postgres", {})
    if key not in values:
        raise Unreachable("the database has no credentials yet", next_step=session.say("app.setup"))
    psql = Path(session.places.programs["postgres"].argv[0]).with_name("psql")
    address = {
        **SETTLED,
        "PGHOST": database.socket or LOOPBACK,
        "PGPORT": str(database.port),
        "PGUSER": user,
        "PGDATABASE": database.name,
    }
    environment = {**seen_by("shell", caller), **address, "PGPASSWORD": values[key].reveal()}
    words = [] if sys.stdin.isatty() else ["--no-psqlrc"]
    done = subprocess.run([str(psql), *words], check=False, env=environment)
    if done.returncode:
        raise KnownBad(f"psql ended with code {done.returncode}", next_step=session.say("postgres.status"))


def redis(session: Session) -> None:
    """Send each line as a command and print the answer, until the input ends."""
    from redis import Redis, RedisError

    values = session.keys.readable().get("redis", {})
    if "PASSWORD" not in values:
        raise Unreachable("the cache has no password yet", next_step=session.say("app.setup"))
    port, options = session.places.ports["redis"], session.target.cache.options
    with Redis(**options, password=values["PASSWORD"].reveal(), decode_responses=True) as client:
        prompt = f"127.0.0.1:{port}> " if sys.stdin.isatty() else ""
        while line := _read(prompt):
            try:
                session.console.answer(str(client.execute_command(*shlex.split(line))))
            except (RedisError, ValueError) as error:
                session.console.answer(f"(error) {error}")


def _read(prompt: str) -> str:
    """Give the next line that says something; empty at the end of the input."""
    while True:
        sys.stderr.write(prompt)
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line or line.strip():
            return line.strip()
