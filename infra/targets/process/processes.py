"""Live processes of a checkout, recognised by the marks in their own environment and by their proof.

A pid file could lie; the environment of a live process cannot be older than the process.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial

import psutil

from infra.model.observed import Running
from infra.targets.process.bearers import Bearer, Marks, is_alive, is_helper, mains_of, survey


def keepers(marks: Marks) -> list[psutil.Process]:
    """Give every live supervisor of an environment, also one whose socket and folder are gone."""
    return [one.process for one in survey(marks).proven if not one.unit]


def marked(marks: Marks) -> list[psutil.Process]:
    """Give every live process of the units of an environment."""
    return [one.process for one in survey(marks).proven if one.unit]


def mains(marks: Marks) -> dict[str, list[tuple[psutil.Process, Running]]]:
    """Give the main processes of each unit; more than one of a unit means that something is doubled."""
    return by_unit(survey(marks).proven)


def by_unit(found: Iterable[Bearer]) -> dict[str, list[tuple[psutil.Process, Running]]]:
    """Give the main processes of each unit among these."""
    units: dict[str, list[tuple[psutil.Process, Running]]] = {}
    for one, running in mains_of(bearer for bearer in found if bearer.unit):
        units.setdefault(one.unit, []).append((one.process, running))
    return units


def unproven(marks: Marks) -> list[tuple[psutil.Process, Running]]:
    """Give what could be ours and does not prove it, supervisors first; see `bearers`."""
    return doubtful(survey(marks).unproven)


def doubtful(found: Iterable[Bearer]) -> list[tuple[psutil.Process, Running]]:
    """Give the main processes among these, supervisors first: they would start again what is ended."""
    mains = [(one.process, running) for one, running in mains_of(found) if not is_helper(one.unit)]
    return sorted(mains, key=lambda one: (bool(one[1].unit), one[1].unit, one[1].started))


def end_unproven(marks: Marks, grace: float, signals: Mapping[str, str]) -> list[psutil.Process]:
    """End what could be ours and does not prove it, as a person has asked for; give those that stay.

    `signals` are the units' own, in the order in which they end; a supervisor goes first.
    """
    order = ["", *signals]
    stubborn: list[psutil.Process] = []
    while left := [one for one in unproven(marks) if one[0] not in stubborn]:
        left.sort(key=lambda one: order.index(one[1].unit) if one[1].unit in order else len(order))
        process, running = left[0]
        stubborn += end([process], grace, signals.get(running.unit, "SIGTERM"))
    return stubborn


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
    left = [process for process in targets if is_alive(process)]
    while left and time.monotonic() < deadline:
        time.sleep(0.02)
        left = [process for process in left if is_alive(process)]
    return left


def _ignore_gone(act: Callable[[], None]) -> None:
    try:
        act()
    except psutil.NoSuchProcess:
        return
