"""Programs that acceptance starts: waited for, and ended with all their children when that is over."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from infra.model.errors import CannotTell

PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class Done:
    """A command that ended."""

    words: str
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object that it printed; empty when it printed anything else."""
        try:
            value = json.loads(self.out)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    def __str__(self) -> str:
        """Give the command and its exit code."""
        return f"./inv {self.words}: exit {self.code}"


def run(
    argv: list[str], words: str, folder: Path, variables: Mapping[str, str], *, stdin: str, within: float
) -> Done:
    """Give how a program ended; CannotTell when it takes longer than `within` seconds."""
    process = subprocess.Popen(
        argv,
        cwd=folder,
        env=dict(variables),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(stdin, timeout=within)
    except subprocess.TimeoutExpired as error:
        end(process)
        raise CannotTell(f"./inv {words} did not end within {within:.0f} s") from error
    except BaseException:
        end(process)
        raise
    return Done(words, process.returncode, out, err)


def wait(process: subprocess.Popen[Any], within: float, on_wait: Callable[[], None]) -> int:
    """Give the exit code of a program that ends in time; it is ended when it does not, or we are."""
    deadline = time.monotonic() + within
    try:
        while process.poll() is None and time.monotonic() < deadline:
            on_wait()
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.2)
    finally:
        is_late = process.poll() is None
        if is_late:
            end(process)
    if is_late:
        raise CannotTell(f"{process.args!r} did not end within {within:.0f} s")
    return process.returncode


def end(process: subprocess.Popen[Any]) -> None:
    """End a program as Ctrl+C would, so that it can clean up; kill its whole group if it does not end."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(PATIENCE)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def supervisors_of(folder: Path) -> list[psutil.Process]:
    """Give the processes below a folder that look after others: they carry no mark of a unit."""
    return [one for one in psutil.process_iter() if _is_of(one, f"{folder}/") and _looks_after(one)]


def _looks_after(process: psutil.Process) -> bool:
    try:
        return "INFRA_CHECKOUT" in process.environ() and "INFRA_UNIT" not in process.environ()
    except (psutil.Error, OSError):
        return False


def kill_all_of(folder: Path) -> int:
    """Kill every process whose home or arguments lie below a folder; give how many there were."""
    found = [process for process in psutil.process_iter() if _is_of(process, f"{folder}/")]
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(found, timeout=5)
    return len(found)


def _is_of(process: psutil.Process, below: str) -> bool:
    try:
        said = (process.environ().get("HOME", ""), *process.cmdline())
    except (psutil.Error, OSError):
        return False
    return process.pid != os.getpid() and any(word.startswith(below) for word in said)
