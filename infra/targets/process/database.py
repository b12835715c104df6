"""PostgreSQL's own initialisation: the cluster, the application's role, its database and the marker."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from infra.model.command_line import CommandLine
from infra.model.errors import CannotTell, Refused, Unreachable
from infra.model.secret import Secret
from infra.model.unit import Unit
from infra.targets.postgres import connect
from infra.targets.process import modes, passed_files, stores
from infra.targets.process.account import identity, ids
from infra.targets.process.entry import with_secrets

SUPERUSER = "postgres"


def forget_dead_owner(cluster: Path) -> None:
    """Remove the lock file of a killed server that nobody has reaped yet: PostgreSQL takes it for alive."""
    lock = cluster / "postmaster.pid"
    try:
        pid = int(lock.read_text(encoding="ascii").splitlines()[0])
        has_ended = psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except (OSError, ValueError, IndexError, psutil.Error):
        return
    if has_ended:
        lock.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Database:
    """The cluster of one environment: where it listens, and what it holds.

    `user` runs it when we are root, `folder` is that of its data. The application logs in as `role`, which
    owns the database and is no superuser.
    """

    port: int
    name: str
    role: str
    commands: CommandLine
    user: str = ""
    folder: Path | None = None

    def create_cluster(self, program: str, folder: Path, password: Secret) -> None:
        """Make the cluster in `<folder>/pgdata`; a kill half-way leaves nothing under that name."""
        beside = folder / "pgdata.new"
        shutil.rmtree(beside, ignore_errors=True)
        if self.user:
            modes.given_folder(folder, ids(self.user))
        self._initdb(program, beside, password)
        beside.rename(folder / "pgdata")

    def _initdb(self, program: str, folder: Path, password: Secret) -> None:
        options = [
            "-U",
            SUPERUSER,
            "-A",
            "scram-sha-256",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-instructions",
        ]
        words = self._piped(password)
        try:
            done = subprocess.run(
                [
                    str(Path(program).with_name("initdb")),
                    "-D",
                    str(folder),
                    "--pwfile",
                    "/dev/stdin",
                    *options,
                ],
                check=False,
                capture_output=True,
                text=True,
                stdin=words,
                cwd="/",
                env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(folder.parent)},
                **identity(self.user),
            )
        finally:
            os.close(words)
        if done.returncode:
            said = tuple(done.stderr.strip().splitlines()[-5:])
            raise CannotTell(f"initdb failed in {folder}", next_step=f"df -h {folder.parent}", evidence=said)

    def _piped(self, password: Secret) -> int:
        """Give a pipe to read the password from: it never lies on a disk and never stands in an argument."""
        read, write = os.pipe()
        if self.user:
            os.fchown(read, pwd.getpwnam(self.user).pw_uid, -1)
        os.write(write, password.reveal().encode() + b"\n")
        os.close(write)
        return read

    def ensure(
        self,
        superuser: Secret,
        application: Secret,
        deadline: float,
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        """Make sure that role, database, owner and marker are as declared; safe to repeat.

        Waits for the server until `deadline` (monotonic); each login in vain calls `on_failure`, which may
        end that. Refused when the marker names another environment.
        """
        import psycopg

        with self._connect(psycopg, superuser, deadline, on_failure) as connection:
            self._ensure_role(psycopg, connection, application)
            self._ensure_database(psycopg, connection)

    def _connect(
        self, psycopg: Any, password: Secret, deadline: float, on_failure: Callable[[], None]
    ) -> Any:
        while True:
            try:
                return connect(
                    socket=self.socket,
                    port=self.port,
                    user=SUPERUSER,
                    password=password.reveal(),
                    dbname="postgres",
                    autocommit=True,
                    connect_timeout=5,
                )
            except psycopg.OperationalError as error:
                on_failure()
                self._refuse_for_good(error, deadline)
                time.sleep(0.02)

    def _refuse_for_good(self, error: Exception, deadline: float) -> None:
        said = str(error).strip().splitlines()[-1:]
        if "password authentication failed" in str(error):
            raise Refused(
                f"PostgreSQL on port {self.port} was made with another password than the store holds",
                next_step=f"./inv vault.rotate {self.commands.choice} --service postgres "
                "--key POSTGRES_PASSWORD, which goes on where one was cut short",
                evidence=tuple(said),
            ) from error
        if time.monotonic() > deadline:
            raise Unreachable(
                f"PostgreSQL does not answer on port {self.port}",
                next_step=self.commands.say("postgres.logs"),
                evidence=tuple(said),
            ) from error

    def _ensure_role(self, psycopg: Any, connection: Any, password: Secret) -> None:
        verifier = connection.pgconn.encrypt_password(
            password.reveal().encode(),
            self.role.encode(),
            b"scram-sha-256",
        ).decode()
        sql, role = psycopg.sql, psycopg.sql.Identifier(self.role)
        found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [self.role]).fetchone()
        if not found:
            connection.execute(sql.SQL("CREATE ROLE {}").format(role))
        limits = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD"
        connection.execute(sql.SQL("ALTER ROLE {} " + limits + " {}").format(role, sql.Literal(verifier)))

    def _ensure_database(self, psycopg: Any, connection: Any) -> None:
        sql, name, role = psycopg.sql, psycopg.sql.Identifier(self.name), psycopg.sql.Identifier(self.role)
        query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
        row = connection.execute(query, [self.name]).fetchone()
        if row is None:
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, role))
        if row is None or row[0] is None:
            words = sql.Literal(self.marker)
            connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(name, words))
        elif row[0] != self.marker:
            raise Refused(
                f"the database {self.name} on port {self.port} is marked {row[0]!r}, not {self.marker!r}",
                next_step=self.commands.say("status"),
            )

    @property
    def socket(self) -> str:
        """The folder of the server's socket as libpq takes it; empty while it listens on its port alone."""
        return stores.database_socket(self.folder, self.port) if self.folder else ""

    @property
    def marker(self) -> str:
        """The comment that a database of this environment carries."""
        return f"infra:env:{self.commands.environment}"


def downgrade(unit: Unit, revision: str, commands: CommandLine) -> None:
    """Take the database back to a revision with the code that left it; CannotTell when that fails."""
    variables = passed_files.variables(unit.beside)
    done = subprocess.run(
        with_secrets(variables["INFRA_PYTHON"], variables["INFRA_BOOT"], "downgrade", revision),
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=variables,
    )
    if done.returncode:
        said = tuple(done.stderr.strip().splitlines()[-10:])
        words = f"the database could not be taken back to {revision}"
        raise CannotTell(words, next_step=commands.say("app.logs"), evidence=said)
