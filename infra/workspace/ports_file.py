"""The ports of a checkout's environment: chosen once, written down, apart from its neighbours'."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from infra.model.ports import PortsWanted, choose_apart
from infra.targets.process import modes
from infra.targets.process.ports import is_taken

NAME = "ports.json"


def ports(root: Path, neighbours: Path, wanted: PortsWanted, *, claim: bool) -> dict[str, int]:
    """Give the ports by name; with `claim` those that were not written down yet are written down.

    `root` is the environment's state folder, `neighbours` the folder of all checkouts' states.
    """
    recorded = _read(root / NAME)
    if wanted.names <= recorded.keys() or not claim:
        return _choose(wanted, recorded, neighbours, root)
    modes.walkable(root)
    with _alone(neighbours):
        recorded = _read(root / NAME)
        chosen = _choose(wanted, recorded, neighbours, root)
        modes.write(root / NAME, json.dumps({**recorded, **chosen}, indent=2) + "\n")
    return chosen


def _choose(wanted: PortsWanted, recorded: Mapping[str, int], neighbours: Path, root: Path) -> dict[str, int]:
    is_settled = wanted.names <= recorded.keys()
    claimed = set() if is_settled else set(_claimed(neighbours, root))
    return choose_apart(wanted, recorded, lambda port: port in claimed or is_taken(port))


def _claimed(neighbours: Path, root: Path) -> Iterator[int]:
    for file in neighbours.glob(f"*/*/{NAME}"):
        if file.parent != root:
            yield from _read(file).values()


def _read(file: Path) -> dict[str, int]:
    try:
        return {str(name): int(port) for name, port in json.loads(file.read_text(encoding="utf-8")).items()}
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError):
        return {}


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the lock under which checkouts choose ports, so that no two choose the same ones."""
    descriptor = os.open(folder / "ports.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
