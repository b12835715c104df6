"""Which ports a checkout uses on loopback: decided once, from what is written, recorded and taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from infra.model.errors import PortTaken

DEFAULT: Mapping[str, int] = {
    "postgres": 5432,
    "redis": 6379,
    "minio": 9000,
    "minio_console": 9001,
    "router": 3000,
    "backend": 8000,
    "frontend": 3001,
}
BLOCK: Mapping[str, int] = {
    "postgres": 5532,
    "redis": 6479,
    "minio": 9100,
    "minio_console": 9101,
    "router": 3100,
    "backend": 8100,
    "frontend": 3101,
}
STEP = 100


def choose_ports(
    written: Mapping[str, int], recorded: Mapping[str, int], taken: Callable[[int], bool]
) -> dict[str, int]:
    """Give a port for each name: the written one, else the recorded one, else one block of free ones.

    Written and recorded ports are given back unasked: whether a stranger holds one is for the caller to
    see, who knows what runs. PortTaken when two names have one port, or when no block is free.
    """
    fixed = {**{name: recorded[name] for name in DEFAULT if name in recorded}, **written}
    for block in _blocks():
        chosen = {**block, **fixed}
        open_ports = [chosen[name] for name in DEFAULT if name not in fixed]
        is_distinct = len(set(chosen.values())) == len(chosen)
        if (is_distinct or not open_ports) and not any(map(taken, open_ports)):
            return _distinct(chosen)
    raise PortTaken("no block of free ports is left", next_step="write ports: {...} in invoke.local.yaml")


def _blocks() -> Iterator[Mapping[str, int]]:
    yield DEFAULT
    for number in range((65535 - max(BLOCK.values())) // STEP + 1):
        yield {name: port + number * STEP for name, port in BLOCK.items()}


def _distinct(chosen: dict[str, int]) -> dict[str, int]:
    for name, port in chosen.items():
        other = next((one for one in chosen if one != name and chosen[one] == port), None)
        if other:
            raise PortTaken(
                f"ports/{name} and ports/{other} are both {port}",
                next_step="write two different ones in invoke.yaml",
            )
    return chosen
