"""The ports of a checkout's environment: chosen once, written down, apart from its neighbours'."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.model.errors import PortLost
from infra.model.ports import PortsWanted, choose_apart, move
from infra.targets.process import modes
from infra.targets.process.ports import is_taken

NAME = "ports.json"


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one environment of a checkout, `root` and `neighbours` as `ports` takes them.

    `now` are those that everything of this command is made of: one mapping, which a move changes in place.
    """

    root: Path
    neighbours: Path
    wanted: PortsWanted
    now: dict[str, int]

    def movable(self, names: Collection[str]) -> frozenset[str]:
        """Give those of these names whose port nobody wrote."""
        return frozenset(names) & self.now.keys() - self.wanted.written.keys()

    def move(self, held: Collection[str], living: Collection[str]) -> frozenset[str]:
        """Leave the ports that strangers hold, and give the names that got another one.

        Those of the `living` units stay. Nothing is written before `keep`. PortTaken when no block is free.
        """
        claimed = set(_claimed(self.neighbours, self.root))
        chosen = move(self.wanted, self.now, held, living, lambda port: port in claimed or is_taken(port))
        moved = frozenset(name for name, port in chosen.items() if self.now.get(name) != port)
        self.now.update(chosen)
        return moved

    def keep(self) -> None:
        """Write down where the ports are now; PortLost when another checkout has chosen one of them since."""
        with _alone(self.neighbours):
            recorded, claimed = _read(self.root / NAME), set(_claimed(self.neighbours, self.root))
            before = {name: recorded[name] for name in self.movable(recorded)}
            lost = [name for name, port in before.items() if self.now[name] in claimed - {port}]
            if lost:
                words = f"port {self.now[lost[0]]} was chosen by another checkout meanwhile"
                self.now.update(before)
                raise PortLost(words, next_step="repeat the command: it takes other ports")
            modes.write(self.root / NAME, json.dumps({**recorded, **self.now}, indent=2) + "\n")


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


def recorded(root: Path) -> frozenset[str]:
    """Give the names whose ports were chosen once and written down."""
    return frozenset(_read(root / NAME))


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
    descriptor = os.open(folder / "ports.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
