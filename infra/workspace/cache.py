"""The folder for what can be made again at any time."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from infra.targets.process import way


def cache_folder(
    name: str = "", variables: Mapping[str, str] = os.environ, project: str = "finance_report"
) -> Path:
    """Give the cache folder of this name for this user (XDG base directories), for no name that of all.

    Denied where somebody else could have written there: what is cached is believed, and some of it is run.
    """
    base = Path(variables.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    ours = base / project
    hints = way.by_variable("XDG_CACHE_HOME", variables, again=f"rm -r {ours}; it is made again")
    return way.require(base, ours.name, *([name] if name else []), hints=hints)
