"""Which ports a checkout uses on loopback: decided once, from what is written, recorded and taken."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from infra.model.errors import BadInput, PortTaken

DEFAULT: Mapping[str, int] = {
    "postgres": 5432,
    "redis": 6379,
    "minio": 9000,
    "minio_console": 9001,
    "router": 3000,
    "backend": 8000,
    "frontend": 3001,
}
STEP = 100
HIGHEST = 65535


@dataclass(frozen=True, slots=True)
class PortsWanted:
    """What a checkout needs ports for. `usual` are those of the first block by name, `written` a person's.

    Names that are `unused` get none. Those that are `quiet` are typed by nobody: where one of them is taken,
    they alone move.
    """

    usual: Mapping[str, int]
    written: Mapping[str, int]
    unused: Collection[str] = ()
    quiet: Collection[str] = ()

    @property
    def names(self) -> frozenset[str]:
        """The names that get a port."""
        return frozenset(self.usual) - frozenset(self.unused)


def choose_apart(
    wanted: PortsWanted, recorded: Mapping[str, int], taken: Callable[[int], bool]
) -> dict[str, int]:
    """Give a port for each name as `choose_ports` does, the quiet ones after the others."""
    without = {*wanted.unused, *wanted.quiet}
    loud = choose_ports(wanted.written, recorded, taken, without, wanted.usual)
    kept = {name: port for name, port in recorded.items() if port not in loud.values()}
    return choose_ports(wanted.written, {**kept, **loud}, taken, wanted.unused, wanted.usual)


def move(
    wanted: PortsWanted,
    now: Mapping[str, int],
    held: Collection[str],
    living: Collection[str],
    taken: Callable[[int], bool],
) -> dict[str, int]:
    """Give the ports once strangers have those of the `held` names.

    What nobody wrote and nothing `living` is on moves together to the next free block; the quiet names move
    for themselves alone. PortTaken when no block is free.
    """
    quiet = frozenset(wanted.quiet)
    together = (wanted.names - quiet, wanted.names & quiet)
    moving = {
        name
        for names in together
        if not names.isdisjoint(held)
        for name in names - wanted.written.keys() - (set(living) - set(held))
    }
    return choose_apart(wanted, {name: port for name, port in now.items() if name not in moving}, taken)


def choose_ports(
    written: Mapping[str, int],
    recorded: Mapping[str, int],
    taken: Callable[[int], bool],
    unused: Collection[str] = (),
    usual: Mapping[str, int] = DEFAULT,
) -> dict[str, int]:
    """Give a port for each name: the written one, else the recorded one, else one block of free ones.

    `usual` are the ports of the first block, by name.

    Written and recorded ports are given back unasked: whether a stranger holds one is for the caller to
    see, who knows what runs. A recorded port that is now written for another name is chosen anew, with
    its whole block. Names that are `unused` here get none, written or not, and move nobody.
    BadInput when two names have one written port, PortTaken when no block is free.
    """
    _require_distinct(written)
    names = usual.keys() - set(unused)
    wished = {name: port for name, port in written.items() if name in names}
    known = {name: port for name, port in recorded.items() if name in names and 0 < port <= HIGHEST}
    fixed = {**known, **wished}
    if not _are_distinct(fixed):
        fixed = wished
    for block in _blocks(usual, unused):
        chosen = {**block, **fixed}
        to_find = [port for name, port in block.items() if name not in fixed]
        if _are_distinct(chosen) and not any(map(taken, to_find)):
            return chosen
    raise PortTaken("no block of free ports is left", next_step="write ports: {...} in invoke.local.yaml")


def _blocks(usual: Mapping[str, int], unused: Collection[str]) -> Iterator[Mapping[str, int]]:
    """Give the usual ports, then each block 100 above the one before."""
    for distance in range(0, HIGHEST - max(usual.values()) + 1, STEP):
        yield {name: port + distance for name, port in usual.items() if name not in unused}


def usual_ports(parts: Mapping[str, int]) -> dict[str, int]:
    """Give the ports of the first block for a project with these parts, each with its own port."""
    return {**DEFAULT, **{name: port for name, port in parts.items() if name not in DEFAULT}}


def require_known(written: Mapping[str, int], usual: Mapping[str, int]) -> None:
    """Refuse ports that are written for a part that nobody declares."""
    unknown = sorted(written.keys() - usual.keys())
    if unknown:
        raise BadInput(
            f"ports/{unknown[0]}: no such part; there are {', '.join(sorted(usual))}",
            next_step="mend ports in invoke.yaml",
        )


def _are_distinct(ports: Mapping[str, int]) -> bool:
    return len(set(ports.values())) == len(ports)


def _require_distinct(written: Mapping[str, int]) -> None:
    names: dict[int, str] = {}
    for name, port in written.items():
        other = names.setdefault(port, name)
        if other != name:
            raise BadInput(
                f"ports/{other} and ports/{name} are both {port}",
                next_step="write two different ones in invoke.yaml",
            )
