"""Drills: something of the throw-away stack is broken on purpose, has to be noticed, and is mended."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from infra.accept import processes
from infra.accept.ground import Ground, exits, on_stack, require
from infra.accept.processes import Done
from infra.accept.throwaway import Throwaway
from infra.model.acceptance import Evidence
from infra.model.answer import Answer
from infra.verify.http import ask

TRUE_WITHIN = 20.0


@contextmanager
def _mended(stack: Throwaway) -> Iterator[None]:
    """Make the stack serve again, however the drill ends."""
    try:
        yield
    finally:
        stack.repair()


def dead_unit(ground: Ground, unit: str, status: str) -> Evidence:
    """Prove that status fails for a unit that was killed, names it, and is good again after setup."""
    stack = ground.stack
    good = exits(_asked(stack, status))
    with _mended(stack):
        pid = _kill_for_good(stack, unit)
        bad = exits(_asked(stack, status), 1)
        said = str(bad.json["facts"]["units"].get(unit, ""))
        require(said.startswith("FAIL"), f"{bad}, but {unit} is {said!r}")
    again = exits(_asked(stack, status))
    return on_stack(f"{good}; {unit} (pid {pid}) killed, {bad}, {unit}: {said}; setup, {again}")


def _asked(stack: Throwaway, task: str) -> Done:
    return stack.inv(stack.of_project(f"{task} --json"))


def _kill_for_good(stack: Throwaway, unit: str) -> int:
    """Kill a unit and wait until its children ended; its supervisor first, which would start it again."""
    main = stack.units[unit][0]
    victims = [main, *main.children(recursive=True)]
    for supervisor in processes.supervisors_of(stack.folder):
        supervisor.kill()
    main.kill()
    # PostgreSQL takes the pid in its lock file for alive until the system has reaped it.
    _until(lambda: not any(psutil.pid_exists(one.pid) for one in victims), f"{unit} does not end")
    return main.pid


def wrong_password(ground: Ground, service: str, change: str, status: str) -> Evidence:
    """Prove that status fails when a server takes another password than the store holds."""
    stack = ground.stack
    with _mended(stack):
        exits(stack.inv(stack.of_project(f"{service}.shell"), stdin=f"{change}\n"))
        bad = exits(_asked(stack, status), 1)
        said = "; ".join(map(str, bad.json["facts"]["units"].values()))
        for process in stack.units[service]:
            process.kill()  # its supervisor starts it again, with the right password
        _until(lambda: _asked(stack, status).code == 0, f"{status} stays bad")
    return on_stack(f"another password set in the server, {bad}: {said}; the right one again, exit 0")


def broken_release(
    ground: Ground, file: str, text: str, said: list[str], health: str, deadline: int = 8
) -> Evidence:
    """Prove that a release with this file fails, says why, and that the one before it serves again."""
    stack = ground.stack
    before = _health(stack, health)
    place = Path(stack.root) / file
    with _mended(stack), _deadline(stack, deadline):
        place.write_text(text, encoding="utf-8")
        try:
            bad = exits(stack.inv(stack.of_project("app.setup --json")), 1)
        finally:
            place.unlink()
        first = bad.json["errors"][0]
        whole = " ".join([first["message"], *first["evidence"], first["next"]])
        for words in said:
            require(words in whole, f"{bad}, and nothing says {words!r}: {whole[:300]}")
        require(bad.json["outcome"] == "failed_rolled_back", f"{bad}, outcome {bad.json['outcome']}")
        require(_health(stack, health) == before, f"{health} was {before}, now {_health(stack, health)}")
    return on_stack(f"{file} added, {bad}, {bad.json['outcome']}: {first['message']}; {health} as before")


def late_release(ground: Ground, file: str, text: str, seconds: float) -> Evidence:
    """Prove that checkpoint 3 of a release that serves late is ok only then, and not before."""
    stack = ground.stack
    place = Path(stack.root) / file
    with _mended(stack):
        place.write_text(text, encoding="utf-8")
        try:
            done = exits(stack.inv(stack.of_project("app.setup --json")))
        finally:
            place.unlink()
        last = done.json["checkpoints"][-1]
        found = re.fullmatch(r"3 server ok after ([0-9.]+) s.*", last)
        is_late = found and float(found[1]) >= seconds
        require(is_late, f"{done}, the server needs {seconds} s to serve, and the checkpoint says {last!r}")
    return on_stack(f"{file} added, the server needs {seconds} s to serve; {done}, checkpoint {last}")


def held_back_secrets(ground: Ground, service: str, unit: str, said: list[str]) -> Evidence:
    """Prove that a service whose secrets file does not come fails in time, with the reason."""
    stack = ground.stack
    file = Path(stack.units[unit][0].environ()["INFRA_SECRETS_FILE"])
    with _mended(stack), stack.settings(drills={"hold_back_secrets": [service]}):
        file.unlink()
        bad = exits(stack.inv(stack.of_project(f"{service}.setup --force --json")), 1)
        first = bad.json["errors"][0]["message"]
        for words in said:
            require(words in first, f"{bad}, and its error says {first!r} instead of {words!r}")
    return on_stack(f"{file.name} held back, {bad} after {bad.json['duration_s']} s: {first}")


@contextmanager
def _deadline(stack: Throwaway, seconds: int) -> Iterator[None]:
    with stack.settings(environments={stack.environment: {"deadline": seconds}}):
        yield


def _health(stack: Throwaway, path: str) -> object:
    answer = ask(stack.url + path)
    return answer.json() if isinstance(answer, Answer) else str(answer)


def _until(condition: Callable[[], object], otherwise: str) -> None:
    deadline = time.monotonic() + TRUE_WITHIN
    while not condition():
        require(time.monotonic() < deadline, f"{otherwise} within {TRUE_WITHIN:.0f} s")
        time.sleep(0.02)
