"""A PostgreSQL server as test runs see it: its databases, made from templates and dropped with leave."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from infra.model.addresses import LOOPBACK
from infra.model.command_line import CommandLine
from infra.model.errors import CannotTell, Unreachable
from infra.model.safety import Permit
from infra.model.secret import Secret
from infra.plan.orphans import Row
from infra.targets.postgres import connect

ANSWERS_WITHIN = 30.0
UNHURRIED = "-c synchronous_commit=off"  # a test database need not outlive a power cut
_CREATE = "CREATE DATABASE {} OWNER {} TEMPLATE {}"
_ROWS = """
SELECT d.datname, shobj_description(d.oid, 'pg_database'),
       (SELECT count(*) FROM pg_stat_activity a WHERE a.datid = d.oid AND a.backend_type = 'client backend'),
       coalesce((pg_stat_file('base/' || d.oid || '/PG_VERSION', true)).modification, now())
FROM pg_database d WHERE d.datname LIKE %s ORDER BY d.datname
"""


@dataclass(frozen=True, slots=True)
class Server:
    """Where the server listens, and the login that may make databases. Every call opens its own session.

    `commands` names the environment that it belongs to; a CI job's own server has none.
    """

    host: str
    port: int
    user: str
    password: Secret
    commands: CommandLine | None = None

    def wait(self, seconds: float = ANSWERS_WITHIN) -> None:
        """Return once the server answers a query; Unreachable after so many seconds."""
        import psycopg

        deadline = time.monotonic() + seconds
        while True:
            try:
                with self._session() as session:
                    session.execute("SELECT 1")
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    raise self._unreachable(error) from error
                time.sleep(0.05)
            else:
                return

    def rows(self, beginning: str) -> list[Row]:
        """Give the databases whose names begin so, each letter taken literally."""
        pattern = "".join(f"\\{letter}" if letter in r"\_%" else letter for letter in beginning) + "%"
        with self._asked() as session:
            return [Row(*found) for found in session.execute(_ROWS, [pattern])]

    def now(self) -> datetime:
        """Give this moment by the server's clock: ages of databases are told by it alone."""
        with self._asked() as session:
            found: datetime = session.execute("SELECT now()").fetchone()[0]
            return found

    def comments(self, databases: Collection[str]) -> dict[str, str | None]:
        """Give the comment of each of these databases that exists."""
        query = (
            "SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = ANY(%s)"
        )
        with self._asked() as session:
            return dict(session.execute(query, [sorted(databases)]).fetchall())

    def sizes(self, databases: Collection[str]) -> dict[str, int]:
        """Give the bytes of each of these databases that exists."""
        query = "SELECT datname, pg_database_size(oid) FROM pg_database WHERE datname = ANY(%s)"
        with self._asked() as session:
            return dict(session.execute(query, [sorted(databases)]).fetchall())

    def create(self, beside: str, *, owner: str, template: str) -> None:
        """Make a database under a name that only its maker uses."""
        with self._asked() as session:
            _do(session, _CREATE, beside, owner, template)

    def copy(self, template: str, database: str, comment: str, *, owner: str, beside: str) -> None:
        """Make a marked copy of a template; under its own name it is never seen half made or unmarked."""
        with self._asked() as session:
            _do(session, _CREATE, beside, owner, template)
            _name(session, beside, database, comment)

    def seal(self, beside: str, template: str, comment: str) -> None:
        """Make a finished database the template of this name, which nobody can enter any more."""
        with self._asked() as session:
            _do(session, "ALTER DATABASE {} ALLOW_CONNECTIONS false", beside)
            leave = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
            session.execute(leave, [beside])
            _name(session, beside, template, comment)

    def drop(self, permit: Permit, database: str, *, force: bool = True) -> bool:
        """Drop a database; false when it is in use and must not be forced. PermissionError without leave."""
        import psycopg

        if database not in permit.databases:
            raise PermissionError(f"nobody gave leave to drop {database}")
        try:
            with self._asked() as session:
                _do(session, f"DROP DATABASE IF EXISTS {{}}{' WITH (FORCE)' if force else ''}", database)
        except psycopg.errors.ObjectInUse:
            return False
        return True

    def ensure_role(self, role: str, password: Secret) -> None:
        """Make sure of a role that may log in and nothing else, with this password; safe to repeat."""
        limits = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD"
        with self._asked() as session:
            plain = password.reveal().encode()
            verifier = session.pgconn.encrypt_password(plain, role.encode(), b"scram-sha-256").decode()
            if not session.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
                _do(session, "CREATE ROLE {}", role)
            session.execute(_sql("ALTER ROLE {} " + limits + " {}", role, literal=verifier))

    @contextmanager
    def alone(self, subject: str, patience: float = 120.0) -> Iterator[None]:
        """Be the only one at this subject on the server; the lock goes with the session that holds it."""
        deadline = time.monotonic() + patience
        with self._asked() as session:
            while not session.execute(
                "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [subject]
            ).fetchone()[0]:
                if time.monotonic() > deadline:
                    raise CannotTell(
                        f"another run has been at {subject} for {patience:.0f} s",
                        next_step="./inv test.status",
                    )
                time.sleep(0.02)
            yield

    @contextmanager
    def _asked(self) -> Iterator[Any]:
        """Open a session; what the server refuses becomes an error that people see."""
        import psycopg

        try:
            with self._session() as session:
                yield session
        except psycopg.errors.ObjectInUse:
            raise
        except psycopg.OperationalError as error:
            raise self._unreachable(error) from error
        except psycopg.Error as error:
            words = f"PostgreSQL refused: {_first_line(error)}"
            raise CannotTell(words, next_step=self._way_on("postgres.logs")) from error

    def _session(self) -> Any:
        return connect(
            is_here=self.host == LOOPBACK,
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password.reveal(),
            dbname="postgres",
            autocommit=True,
            connect_timeout=5,
            options=UNHURRIED,
            takes_any=self.commands is None,
        )

    def _unreachable(self, error: Exception) -> Unreachable:
        return Unreachable(
            f"PostgreSQL on {self.host}:{self.port} does not answer: {_first_line(error)}",
            next_step=self._way_on("postgres.setup"),
        )

    def _way_on(self, task: str) -> str:
        return self.commands.say(task) if self.commands else "read what the job's own PostgreSQL says"


def _name(session: Any, beside: str, database: str, comment: str) -> None:
    """Mark a finished database, then give it its own name."""
    session.execute(_sql("COMMENT ON DATABASE {} IS {}", beside, literal=comment))
    _do(session, "ALTER DATABASE {} RENAME TO {}", beside, database)


def _do(session: Any, words: str, *names: str) -> None:
    session.execute(_sql(words, *names))


def _sql(words: str, *names: str, literal: str = "") -> Any:
    from psycopg import sql

    parts = [*map(sql.Identifier, names), *([sql.Literal(literal)] if literal else [])]
    return sql.SQL(words).format(*parts)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
