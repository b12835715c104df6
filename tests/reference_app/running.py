"""The reference application, started as its own commands start it."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.reference_app.servers import accepts, free_port
from tests.waiting import PATIENCE, until

APPS = Path(__file__).parents[2] / "reference_app" / "apps"
BACKEND = APPS / "backend"
FRONTEND = APPS / "frontend"
SHA = "0123456789abcdef0123456789abcdef01234567"


@dataclass(frozen=True)
class Answer:
    """What came back: the status, the headers in lower case, and the body."""

    status: int
    headers: Mapping[str, str]
    body: str

    def json(self) -> Any:
        """Give the body as JSON."""
        return json.loads(self.body)


@dataclass
class App:
    """A running part of the application."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def address(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 10,
        raw: bytes = b"",
    ) -> Answer:
        """Give the answer to one request, whose body is JSON or raw; OSError when there is none.

        What changes something is asked as from a page of its own.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        own = {"Content-Type": "application/json"} if body is not None else {}
        own |= {"Origin": self.address} if method == "POST" else {}
        try:
            sent = json.dumps(body).encode() if body is not None else raw or None
            connection.request(method, path, sent, own | dict(headers or {}))
            got = connection.getresponse()
            named = {name.lower(): value for name, value in got.getheaders()}
            return Answer(got.status, named, got.read().decode())
        finally:
            connection.close()

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Give the answer to a GET."""
        return self.ask("GET", path, headers=headers)

    def health(self) -> tuple[int, str]:
        """Give code and status of /health."""
        answer = self.get("/health")
        return answer.status, answer.json()["status"]

    def stop(self) -> None:
        """End it as a supervisor does, and see that it obeys."""
        self.process.terminate()
        self.process.wait(PATIENCE)


@dataclass(frozen=True)
class Backend:
    """How to start the backend: its variables, and where it writes its log."""

    environment: Mapping[str, str]
    log: Path

    def started(
        self, folder: Path = BACKEND, variables: Mapping[str, str] | None = None, *, is_up: bool = True
    ) -> AbstractContextManager[App]:
        """Run it with these variables changed; an empty one is taken away. Ends with the block."""
        chosen = {name: value for name, value in {**self.environment, **(variables or {})}.items() if value}
        return started(folder, "src.main:app", chosen, self.log, is_up=is_up)

    def python(self, *words: str, folder: Path = BACKEND) -> subprocess.CompletedProcess[str]:
        """Run Python with these arguments, as the backend would, to its end."""
        command = [sys.executable, *words]
        return subprocess.run(
            command, check=False, cwd=folder, env=self.environment, capture_output=True, text=True
        )

    def alembic(self, *words: str, folder: Path = BACKEND) -> subprocess.CompletedProcess[str]:
        """Run an Alembic command to its end."""
        return self.python("-m", "alembic", *words, folder=folder)


@contextmanager
def started(
    folder: Path,
    target: str,
    environment: Mapping[str, str],
    log: Path,
    *,
    is_up: bool = True,
    flags: Sequence[str] = (),
) -> Iterator[App]:
    """Run `uvicorn <target>` in this folder; with `is_up`, wait until it listens."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", target, "--host", "127.0.0.1", "--port", str(port), *flags]
    with log.open("ab") as output:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)
    app = App(process, port, log)
    try:
        if is_up:
            until(lambda: accepts(port) or process.poll() is not None)
            assert process.poll() is None, log.read_text()
        yield app
    finally:
        if process.poll() is None:
            app.stop()
