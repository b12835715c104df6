"""The cache's database of one test run: emptied before and after, over the cache's own protocol."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from infra.model import urls
from infra.model.command_line import CommandLine
from infra.model.errors import CannotTell, Unreachable
from infra.model.secret import Secret
from infra.plan.turns import INDEXES
from infra.targets.bounded import lines
from infra.targets.process.stores import CacheDoor

ANSWERS_WITHIN = 5.0


@dataclass(frozen=True, slots=True)
class Cache:
    """Where the cache listens. Database 0 is the application's: nothing here touches it.

    `commands` names the environment that it belongs to, `door` is the way in there; a CI job's has neither.
    """

    host: str
    port: int
    password: Secret
    commands: CommandLine | None = None
    door: CacheDoor | None = None

    def url(self, index: int) -> Secret:
        """Give the address of one of its databases."""
        return Secret(urls.redis_url(self.password.reveal(), self.host, self.port, index))

    def empty(self, index: int) -> None:
        """Remove all keys of a test run's database; CannotTell for one that is not a test run's."""
        if index not in INDEXES:
            raise CannotTell(f"database {index} of the cache is not a test run's")
        self._ask(index, b"FLUSHDB")

    def unused(self) -> int:
        """Give a database of test runs that holds no key."""
        found = next((index for index in INDEXES if self._ask(index, b"DBSIZE") == ":0"), None)
        if found is None:
            raise CannotTell("no database of the cache is empty", next_step="./inv test.status")
        return found

    def _ask(self, index: int, command: bytes) -> str:
        login = [b"AUTH " + self.password.reveal().encode()] if self.password.reveal() else []
        commands = [*login, b"SELECT %d" % index, command]
        try:
            with self._connect() as peer:
                asked = b"".join(_encoded(line.split(b" ", 1)) for line in commands)
                said = lines(peer, asked, len(commands), ANSWERS_WITHIN)
        except OSError as error:
            own = self.commands
            raise Unreachable(
                f"the cache on {self.host}:{self.port} does not answer: {error}",
                next_step=own.say("redis.setup") if own else "read what the job's own cache says",
            ) from error
        bad = next((line for line in said if not line.startswith(("+", ":"))), None)
        if bad is not None:
            raise CannotTell(f"the cache refused: {bad[:80] or 'no answer'}")
        return said[-1]

    def _connect(self) -> socket.socket:
        if self.door:
            return self.door.connect(ANSWERS_WITHIN)
        return socket.create_connection((self.host, self.port), ANSWERS_WITHIN)


def _encoded(words: list[bytes]) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
