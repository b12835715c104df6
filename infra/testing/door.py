"""Where the tests' processes ask the run for things: a loopback socket, with a token that only they have.

A test process never holds a login that may make or drop databases: it asks here, and the run decides. While
the run lives, the suite's own connection stays open; the plug-in ends the suite when it breaks.
"""

from __future__ import annotations

import hmac
import json
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any

from infra.model.addresses import LOOPBACK

LISTENING = 128
LONGEST = 1024 * 1024  # of what a process of the tests says: the report of a whole suite


class Door(threading.Thread):
    """Answers `database`, `object_store` and `report`; keeps `watch` open.

    `database` gives a worker's address, `object_store` the variables that name the run's bucket.
    """

    def __init__(
        self, database: Callable[[str], str], object_store: Callable[[], Mapping[str, str]] = dict
    ) -> None:
        super().__init__(name="door", daemon=True)
        self._database, self._object_store = database, object_store
        self._token = secrets.token_hex(16)
        self._listener = socket.create_server((LOOPBACK, 0), backlog=LISTENING)
        self.report: Mapping[str, Any] = {}
        self.faults: list[str] = []

    @property
    def address(self) -> str:
        """What the tests' processes get: port and token."""
        return f"{self._listener.getsockname()[1]}:{self._token}"

    def run(self) -> None:
        """Answer until `close`."""
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def close(self) -> None:
        """Answer nobody any more."""
        self._listener.close()

    def _serve(self, peer: socket.socket) -> None:
        with peer, peer.makefile("rwb") as stream:
            line = stream.readline(LONGEST)
            stream.write(json.dumps(self._reply(line)).encode() + b"\n")
            stream.flush()
            stream.read(1)  # until the other side goes: a watcher stays as long as its process

    def _reply(self, line: bytes) -> dict[str, Any]:
        try:
            request = json.loads(line)
            if not hmac.compare_digest(str(request["token"]), self._token):
                return {"error": "this is not a process of the run"}
            return self._answer(request)
        except Exception as error:  # noqa: BLE001  # the answer carries it; the run goes on
            self.faults.append(str(error))
            return {"error": f"{type(error).__name__}: {error}"}

    def _answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        if request["do"] == "database":
            return {"url": self._database(str(request["worker"]))}
        if request["do"] == "object_store":
            return {"variables": dict(self._object_store())}
        if request["do"] == "report":
            self.report = request["report"]
        return {}
