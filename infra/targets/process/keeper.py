"""Keeps one unit running: waits for its needs, starts or adopts it, restarts it, counts."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from infra.model.errors import CannotTell
from infra.model.unit import Unit
from infra.targets.process import logfiles, passed_files, probes
from infra.targets.process.account import identity
from infra.targets.process.bearers import Marks

GRACE = 15.0
Wait = Callable[[float | None], int | None]
LONGEST_PAUSE = 10.0
PROBE_EVERY = 0.03
SETTLED_AFTER = 60.0
YIELDS_FOR = 10.0


class Board:
    """What keepers tell each other: which units are on their way, and which are ready.

    Waiting on it wakes at every change.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.ready: set[str] = set()
        self.coming: set[str] = set()

    def set_ready(self, unit: str, is_ready: bool) -> None:
        """Note whether a unit is ready, and wake everyone who waits."""
        with self.changed:
            (self.ready.add if is_ready else self.ready.discard)(unit)
            self.coming.discard(unit)
            self.changed.notify_all()

    def set_coming(self, unit: str) -> None:
        """Note that a unit is on its way, until it is ready or has ended."""
        with self.changed:
            self.coming.add(unit)


class Keeper(threading.Thread):
    """One unit's thread. `status()` gives its state; `stop()` ends the unit and the thread."""

    def __init__(
        self, unit: Unit, log: Path, board: Board, marks: Marks, adopted: psutil.Process | None = None
    ) -> None:
        super().__init__(name=unit.name, daemon=True)
        self.unit = unit
        self._log, self._board, self._marks = log, board, marks
        self._adopted = adopted
        self._process: psutil.Process | None = adopted
        self._stopping = False
        self._state, self._why, self._exits, self._last_exit = "waiting", "", 0, ""
        if not unit.yields:
            board.set_coming(unit.name)

    def run(self) -> None:
        """Keep the unit running until it is told to stop; ends in a row make the pause longer."""
        in_a_row = 0
        while self._wait_for_needs():
            began = time.monotonic()
            wait = self._take_over() if self._adopted else self._spawn()
            self._until_ready()
            code = self._attend(wait)
            self._ended(code)
            in_a_row = 1 if time.monotonic() - began > SETTLED_AFTER else in_a_row + 1
            self._pause(min(LONGEST_PAUSE, 0.1 * 2 ** min(in_a_row, 10)))
        self._board.set_ready(self.unit.name, is_ready=False)
        self._set("stopped")

    def status(self) -> dict[str, Any]:
        """Give state, pid, number of unexpected exits and the last of them."""
        return {
            "state": self._state,
            "why": self._why,
            "pid": self._process.pid if self._process else None,
            "exits": self._exits,
            "last_exit": self._last_exit,
        }

    def stop(self, grace: float = GRACE) -> None:
        """End the unit with its own stop signal; after `grace` seconds its session is killed."""
        with self._board.changed:
            self._stopping = True
            self._board.changed.notify_all()
        process = self._process
        if process is not None:
            self._end(process, grace)
        self.join(GRACE)

    def _wait_for_needs(self) -> bool:
        with self._board.changed:
            while not self._stopping:
                missing = [need for need in self.unit.needs if need not in self._board.ready]
                if not missing or self._adopted:
                    return self._let_others_first()
                self._set("waiting", f"needs {', '.join(missing)}")
                self._board.changed.wait()
        return False

    def _let_others_first(self) -> bool:
        """Wait, where the unit yields, until no other one is on its way; a while at most."""
        if self.unit.yields and not self._adopted:
            self._set("waiting", "lets the others start first")
            self._board.changed.wait_for(lambda: self._stopping or not self._board.coming, YIELDS_FOR)
        return not self._stopping

    def _take_over(self) -> Wait:
        process, self._adopted = self._adopted, None
        self._set("starting", "adopted")
        return process.wait if process else lambda _seconds: None

    def _spawn(self) -> Wait:
        output = logfiles.open_log(self._log)
        try:
            child = subprocess.Popen(
                self.unit.argv,
                cwd=self.unit.directory,
                env=passed_files.variables(self.unit) | self._marks.proven(self.unit.name, self.unit.user),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                **identity(self.unit.user),
            )
        except (OSError, CannotTell) as error:
            os.write(output, f"cannot start {self.unit.argv[0]}: {error}\n".encode())
            return lambda _seconds: 127
        finally:
            os.close(output)
        self._process = psutil.Process(child.pid)
        self._set("starting")
        if self._stopping:
            _send(self._process, self.unit.stop_signal)
        return child.wait

    def _until_ready(self) -> None:
        while self._process is not None and _lives(self._process) and not self._stopping:
            self._why = probes.fault(self.unit)
            if not self._why:
                self._set("ready")
                self._board.set_ready(self.unit.name, is_ready=True)
                return
            time.sleep(PROBE_EVERY)

    def _attend(self, wait: Wait) -> int | None:
        """Wait for the unit's end; an agent is asked for its health all the while, and beats each time."""
        every = self.unit.health.interval if self.unit.health.probe == "agent" else None
        while True:
            try:
                return wait(every)
            except (subprocess.TimeoutExpired, psutil.TimeoutExpired):
                fault = probes.fault(self.unit)
                self._set("unhealthy" if fault else "ready", fault)

    def _end(self, process: psutil.Process, grace: float) -> None:
        _send(process, self.unit.stop_signal)
        with self._board.changed:
            ended = self._board.changed.wait_for(lambda: self._process is None, grace)
        if not ended:
            _kill_session(process.pid)

    def _ended(self, code: int | None) -> None:
        leader, self._process = self._process, None
        self._board.set_ready(self.unit.name, is_ready=False)
        if not self._stopping:
            if leader and self.unit.health.probe == "agent":
                _kill_session(leader.pid)  # its entry point was killed, and what it ran goes on
            self._exits += 1
            self._last_exit = _word(code)
            self._set("restarting", f"ended with {self._last_exit}")

    def _pause(self, seconds: float) -> None:
        with self._board.changed:
            self._board.changed.wait_for(lambda: self._stopping, seconds)

    def _set(self, state: str, why: str = "") -> None:
        self._state, self._why = state, why


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _send(process: psutil.Process, name: str) -> None:
    try:
        process.send_signal(getattr(signal, name))
    except psutil.NoSuchProcess:
        return


def _kill_session(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return


def _word(code: int | None) -> str:
    if code is None:
        return "an unknown code"
    return f"code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
