"""The supervisor seen from a command: starts it, asks it, tells when it does not answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.model.errors import CannotTell, Unreachable
from infra.model.secret import Secret
from infra.model.variables import seen_by
from infra.targets.process import door, logfiles, processes
from infra.targets.process.bearers import KEEPER, Marks, survey
from infra.targets.process.proof import proof_of
from infra.targets.process.units_file import read_units, write_handed

if TYPE_CHECKING:
    import psutil

STARTS_WITHIN = 10.0
GRACE, UNIT_GRACE = 5.0, 15.0
LONGEST = 8 * 1024 * 1024  # of an answer
_CLOSED = {"ok": False, "error": "closed the connection"}
_CODE = Path(__file__).parent
PARTS = (
    *("supervisor", "keeper", "probes", "processes", "bearers", "proof", "door", "logfiles", "account"),
    *("units_file", "modes", "sharing", "passed_files", "../bounded"),
)


class Client:
    """Requests to the supervisor of one run folder; each raises Unreachable when nobody answers."""

    def __init__(self, folder: Path, marks: Marks) -> None:
        self._folder, self._marks = folder, marks

    def version(self) -> str:
        """Give a digest of the code that a supervisor runs, and one of its key: another one is replaced."""
        texts = [(_CODE / f"{name}.py").read_bytes() for name in PARTS]
        key = self._marks.key.read()
        return f"{sha256(b''.join(texts)).hexdigest()[:16]}-{proof_of(key, 0)[:8] if key else ''}"

    def ask(self, what: str, **arguments: Any) -> dict[str, Any]:
        """Give the answer to one request; a retry is safe for every request but means what it says again."""
        try:
            with door.connect(self._folder) as peer, peer.makefile("rwb") as stream:
                stream.write(json.dumps({"do": what, "with": arguments}).encode() + b"\n")
                stream.flush()
                line = stream.readline(LONGEST)
        except OSError as error:
            raise Unreachable(f"the supervisor does not answer: {error.strerror or error}") from error
        answer: dict[str, Any] = _CLOSED if line[-1:] != b"\n" else json.loads(line)
        if not answer["ok"]:
            raise CannotTell(f"the supervisor refused '{what}': {answer['error']}")
        return answer

    def stop(self, unit: str, stop_signal: str = "SIGTERM") -> list[int]:
        """End a unit, also where no supervisor keeps it; give the pids that would not end."""
        try:
            left: list[int] = self.ask("stop", name=unit, stop_signal=stop_signal)["left"]
        except CannotTell:  # there is no supervisor, or it is of a version before, or it cannot write
            return [one.pid for one in processes.end_unit(self._marks, unit, UNIT_GRACE, stop_signal)]
        return left

    def running_version(self) -> str | None:
        """Give the version of the supervisor that answers, None when none does."""
        try:
            return str(self.ask("hello")["version"])
        except Unreachable:
            return None

    def units(self) -> dict[str, dict[str, Any]]:
        """Give the state of each unit as the supervisor knows it; none when it does not run."""
        try:
            return dict(self.ask("status")["units"])
        except Unreachable:
            return {}

    def kept(self) -> frozenset[str]:
        """Give the names of the units that the supervisor keeps, or that the next one would adopt."""
        try:
            return frozenset(self.ask("status")["units"])
        except Unreachable:
            return frozenset(unit.name for unit in read_units(self._folder))

    def lost(self) -> list[psutil.Process]:
        """Give the supervisors of this environment that nobody can ask: what they hold was deleted."""
        try:
            answers = self.ask("hello")["pid"]
        except Unreachable:
            answers = None
        return [one for one in processes.keepers(self._marks) if one.pid != answers]

    def end(self) -> list[int]:
        """End every supervisor of this environment, and no unit; give the pids that would not end."""
        keepers = processes.keepers(self._marks)  # one of a version before is known by its answer alone
        with suppress(Unreachable):
            self.ask("shutdown")
        return [one.pid for one in processes.end(keepers, GRACE)]

    def start(self) -> None:
        """Start a supervisor in the place of any other one, and wait until it answers (10 s at most)."""
        self._marks.key.make()
        self._hand_over()
        self.end()
        command = [sys.executable, "-m", KEEPER, str(self._folder)]
        child = self._spawn([*command, self._marks.checkout, self._marks.environment, self.version()])
        deadline = time.monotonic() + STARTS_WITHIN
        while self.running_version() != self.version():
            if time.monotonic() > deadline:
                self._give_up(child)
            if child.poll() is not None:
                child = self._spawn(child.args)  # type: ignore[arg-type]  # the list that it was started with
            time.sleep(0.005)

    def _hand_over(self) -> None:
        """Note what is ours only as a child of the supervisor that is about to end, before it ends."""
        units = (one for one in survey(self._marks).proven if one.unit)
        write_handed(self._folder, {one.identity for one in units if not self._marks.accepts(one)})

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        marks = {"INFRA_CHECKOUT": self._marks.checkout, "INFRA_ENV": self._marks.environment}
        marks |= self._marks.proven()
        output = logfiles.open_log(self._folder / "supervisor.log")
        try:
            child = subprocess.Popen(
                command,
                cwd=_CODE.parents[2],
                env={**seen_by("tool", os.environ), **marks},
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        finally:
            os.close(output)
        _tell(child, self._marks.key.make())
        return child

    def _give_up(self, child: subprocess.Popen[bytes]) -> None:
        child.kill()
        raise CannotTell(
            f"the supervisor did not answer within {STARTS_WITHIN:.0f} s",
            next_step=f"cat {self._folder}/supervisor.log",
            evidence=tuple(logfiles.tail(self._folder / "supervisor.log", 5).lines),
        )


def _tell(child: subprocess.Popen[bytes], key: Secret) -> None:
    """Hand the key to a supervisor that starts: neither its arguments nor its environment show it."""
    if child.stdin:
        with suppress(BrokenPipeError), child.stdin:
            child.stdin.write(key.reveal().encode())
