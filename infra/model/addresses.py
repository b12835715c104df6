"""Where the stores of one environment are reached: what derived secrets are made of, beside passwords."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Addresses:
    """Host, ports, database and role of one environment; `ports` are by service."""

    host: str
    ports: Mapping[str, int]
    database: str
    role: str
