"""The supervisor: one process for each environment and checkout, which outlives the command that started it.

    python -m infra.targets.process.supervisor RUN_FOLDER CHECKOUT ENVIRONMENT VERSION  < KEY

It answers JSON lines on a socket of mode 0600 in its run folder and holds that folder's lock. Its death
ends no unit: the next supervisor finds the living ones by the marks in their environment.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from infra.model.secret import Secret
from infra.model.unit import Unit, unit_from_json
from infra.targets.process import logfiles, processes
from infra.targets.process.bearers import Marks
from infra.targets.process.door import SOCKET
from infra.targets.process.keeper import GRACE, Board, Keeper
from infra.targets.process.proof import Handed
from infra.targets.process.units_file import read_units, write_units

LOCK = "supervisor.lock"
LOG = "supervisor.log"
LONGEST = 8 * 1024 * 1024  # a request; the longest one is a unit with its files
ROTATE_EVERY = 5.0


class Supervisor:
    """Owns the keepers. Each public method is one request of the socket."""

    def __init__(self, folder: Path, marks: Marks, version: str) -> None:
        self._folder, self._marks, self._version = folder, marks, version
        self._board = Board()
        self._keepers: dict[str, Keeper] = {}
        self._done = threading.Event()

    def adopt_living(self) -> None:
        """Take over the units of an earlier supervisor that still run; the dead ones stay dead."""
        living = processes.mains(self._marks)
        for unit in read_units(self._folder):
            found = living.get(unit.name, [])
            if found:
                self._keep(unit, found[0][0])

    def hello(self) -> dict[str, Any]:
        """Give the version of the code that this supervisor runs."""
        return {"version": self._version, "pid": os.getpid()}

    def start(self, unit: dict[str, Any]) -> dict[str, Any]:
        """Make this unit run as written; what ran under its name before is ended first."""
        wanted = unit_from_json(unit)
        self.stop(wanted.name, stop_signal=wanted.stop_signal)
        self._keep(wanted, None)
        self._write_units()
        return {}

    def stop(self, name: str, grace: float = GRACE, stop_signal: str = "SIGTERM") -> dict[str, Any]:
        """End a unit and forget it; give the pids that would not end.

        `stop_signal` is for one that no keeper knows: its own is known to its keeper alone.
        """
        keeper = self._keepers.pop(name, None)
        if keeper:
            keeper.stop(grace)
        stubborn = processes.end_unit(self._marks, name, grace, stop_signal)
        with suppress(OSError):  # a full disk keeps no unit from being stopped: the dead are not adopted
            self._write_units()
        return {"left": [process.pid for process in stubborn]}

    def status(self) -> dict[str, Any]:
        """Give each unit's state."""
        return {"units": {name: keeper.status() for name, keeper in self._keepers.items()}}

    def shutdown(self) -> dict[str, Any]:
        """End the supervisor; the units stay as they are."""
        self._done.set()
        return {}

    def serve(self) -> None:
        """Answer requests until shutdown."""
        listener = _listen(self._folder)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        while not self._done.wait(ROTATE_EVERY):
            self._rotate()
        listener.close()
        (self._folder / SOCKET).unlink(missing_ok=True)

    def _rotate(self) -> None:
        """Keep the logs of the units small, and its own, which is its stdout and stderr."""
        for log in (self._folder / LOG, *map(self._log, list(self._keepers))):
            with suppress(OSError):
                logfiles.rotate(log)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(peer,), daemon=True).start()

    def _answer(self, peer: socket.socket) -> None:
        with peer, peer.makefile("rwb") as stream:
            while line := stream.readline(LONGEST):
                stream.write(json.dumps(self._reply(line)).encode() + b"\n")
                stream.flush()
                if not line.endswith(b"\n"):
                    return

    def _reply(self, line: bytes) -> dict[str, Any]:
        acts: dict[str, Callable[..., dict[str, Any]]] = {
            "hello": self.hello,
            "start": self.start,
            "stop": self.stop,
            "status": self.status,
            "shutdown": self.shutdown,
        }
        try:
            request = json.loads(line)
            return {"ok": True, **acts[request["do"]](**request["with"])}
        except Exception as error:  # noqa: BLE001  # the answer carries it; the supervisor goes on
            return {"ok": False, "error": f"{type(error).__name__}: {error}"}

    def _keep(self, unit: Unit, living: Any) -> None:
        keeper = Keeper(unit, self._log(unit.name), self._board, self._marks, living)
        self._keepers[unit.name] = keeper
        keeper.start()

    def _log(self, name: str) -> Path:
        return self._folder.parent / "logs" / f"{name}.log"

    def _write_units(self) -> None:
        write_units(self._folder, [keeper.unit for keeper in self._keepers.values()])


def _listen(folder: Path) -> socket.socket:
    os.chdir(folder)  # a socket's address holds 107 bytes at most: a bare name always fits
    Path(SOCKET).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    listener.bind(SOCKET)
    os.umask(before)
    listener.listen(64)
    return listener


def main(arguments: list[str]) -> int:
    """Run until shutdown; exit 3 when another supervisor has the folder."""
    folder, checkout, environment, version = arguments
    os.umask(0o077)
    lock = os.open(Path(folder) / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return 3
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    marks = Marks(checkout, environment, Handed(Secret(sys.stdin.read())), folder)
    supervisor = Supervisor(Path(folder), marks, version)
    supervisor.adopt_living()
    supervisor.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
