"""The application's pytest, in a process group of its own, and everything that it started."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import psutil

from infra import foreground
from infra.signals import Signals
from infra.targets.process import processes
from infra.testing.output import Output

MARK: Final = "INFRA_TEST_RUN"
GRACE = 2.0


def run(
    argv: Sequence[str],
    folder: Path,
    variables: Mapping[str, str],
    signals: Signals,
    show: Callable[[str], None],
) -> int:
    """Give the exit code of this command, under zero for a signal; a person's signals are handed to it.

    `show` gets its output, by whole lines. After the first signal it has 10 s, then 5 s more after SIGTERM.
    """
    with Output(show) as output:
        child = foreground.start(argv, folder, variables, signals, output.number)
        return foreground.wait(child, signals, sweeps=False)


def end_all(run_id: str, *, grace: float = GRACE) -> list[int]:
    """End every process that carries the mark of a run, whatever group it went to; give those that stay."""
    left = processes.end(_marked(run_id), grace)
    return [process.pid for process in left]


def _marked(run_id: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == run_id:
                yield process
        except (psutil.Error, OSError):
            continue
