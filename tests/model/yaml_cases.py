"""Cases in `cases/*.yaml`: a new one needs no code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

CASES = Path(__file__).parent / "cases"


def cases(name: str, section: str) -> list[Any]:
    """Give the cases of one section of a file."""
    found = yaml.safe_load((CASES / f"{name}.yaml").read_text(encoding="utf-8"))[section]
    return list(found.items()) if isinstance(found, dict) else list(found)
