"""Live processes of a checkout, recognised by the marks in their own environment.

A pid file could lie; the environment of a live process cannot be older than the process.
"""

from __future__ import annotations

import hmac
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

import psutil

from infra.model.observed import Running
from infra.targets.process.account import uid_of
from infra.targets.process.proof import VARIABLE, Key, proof_of


@dataclass(frozen=True, slots=True)
class Marks:
    """Whose processes are meant: the checkout's id, the environment's name, and the key of their proofs."""

    checkout: str
    environment: str
    key: Key = field(repr=False, compare=False)

    def proven(self, unit: str = "", user: str = "") -> dict[str, str]:
        """Give what proves a process of ours that starts now as this unit, a supervisor for none."""
        made = proof_of(self.key.make(), uid_of(user), self.checkout, self.environment, unit)
        return {VARIABLE: made}


def is_proven(marks: Marks, pid: int, unit: str) -> bool:
    """Tell whether a live process proves that we started it, as this unit and as the user that it runs as."""
    key = marks.key.read()
    try:
        process = psutil.Process(pid)
        variables, uid = process.environ(), process.uids().real
    except (psutil.Error, OSError):
        return False
    if key is None:
        return False
    wanted = proof_of(key, uid, marks.checkout, marks.environment, unit)
    return hmac.compare_digest(variables.get(VARIABLE, "").encode(), wanted.encode())


KEEPER = "infra.targets.process.supervisor"


def keepers(marks: Marks) -> list[psutil.Process]:
    """Give every live supervisor of an environment, also one whose socket and folder are gone."""
    return [
        process
        for process, variables in _of_environment(marks)
        if "INFRA_UNIT" not in variables and _is_keeper(process)
    ]


def _is_keeper(process: psutil.Process) -> bool:
    try:
        return KEEPER in process.cmdline()
    except psutil.Error:
        return False


def marked(marks: Marks) -> list[psutil.Process]:
    """Give every live process with these marks; those of other users are not readable and not ours."""
    return [process for process, _ in _with_environment(marks)]


def mains(marks: Marks) -> dict[str, list[tuple[psutil.Process, Running]]]:
    """Give the main processes of each unit; more than one of a unit means that something is doubled.

    A main process is a marked one whose parent is not a process of the same unit.
    Children that end while this looks are of no unit: who their parent was can no longer be asked.
    """
    seen = {process.pid: (process, variables) for process, variables in _with_environment(marks)}
    units = {pid: variables.get("INFRA_UNIT", "") for pid, (_, variables) in seen.items()}
    found: dict[str, list[tuple[psutil.Process, Running]]] = {}
    for pid, (process, variables) in seen.items():
        try:
            is_main = units.get(process.ppid()) != units[pid]
            running = _facts(process, variables)
        except psutil.Error:
            continue
        if is_main:
            found.setdefault(units[pid], []).append((process, running))
    return found


def is_helper(unit: str) -> bool:
    """Tell whether this is an entry point's own watcher, which ends by itself."""
    return unit.endswith(".watcher")


def _with_environment(marks: Marks) -> Iterator[tuple[psutil.Process, dict[str, str]]]:
    return (one for one in _of_environment(marks) if "INFRA_UNIT" in one[1])


def _of_environment(marks: Marks) -> Iterator[tuple[psutil.Process, dict[str, str]]]:
    for process in psutil.process_iter():
        try:
            variables = process.environ()
        except (psutil.Error, OSError):
            continue
        mine = (variables.get("INFRA_CHECKOUT"), variables.get("INFRA_ENV"))
        if mine == (marks.checkout, marks.environment) and _is_alive(process):
            yield process, variables


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _facts(process: psutil.Process, variables: dict[str, str]) -> Running:
    started = process.create_time()
    since_boot = started - psutil.boot_time()  # no change of the clock moves it
    return Running(
        unit=variables["INFRA_UNIT"],
        identity=f"{process.pid}@{since_boot:.2f}",
        started=started,
        bundle=variables.get("INFRA_BUNDLE", ""),
        deploy=variables.get("INFRA_DEPLOY", ""),
        service=variables.get("INFRA_SERVICE", ""),
    )


def end_unit(marks: Marks, unit: str, grace: float, stop_signal: str = "SIGTERM") -> list[psutil.Process]:
    """End every process of a unit, also those that its main processes leave behind; give those that stay."""
    stubborn: list[psutil.Process] = []
    while left := [one for one, _ in mains(marks).get(unit, []) if one not in stubborn]:
        stubborn += end(left, grace, stop_signal)
    return stubborn


def end(
    processes: Iterable[psutil.Process], grace: float, stop_signal: str = "SIGTERM"
) -> list[psutil.Process]:
    """End these processes, politely first; give those that outlive `grace` seconds and a kill."""
    targets = list(processes)
    number = signal.Signals[stop_signal]
    for process in targets:
        _ignore_gone(partial(process.send_signal, number))
    stubborn = _outliving(targets, grace)
    for process in stubborn:
        _ignore_gone(process.kill)
    return _outliving(stubborn, 5)


def _outliving(targets: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Give those that still live after so many seconds; one that nobody has reaped yet lives no more."""
    deadline = time.monotonic() + seconds
    left = [process for process in targets if _is_alive(process)]
    while left and time.monotonic() < deadline:
        time.sleep(0.02)
        left = [process for process in left if _is_alive(process)]
    return left


def _ignore_gone(act: Callable[[], None]) -> None:
    try:
        act()
    except psutil.NoSuchProcess:
        return
