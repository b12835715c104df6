"""The folder for what can be made again at any time."""

from __future__ import annotations

import os
from pathlib import Path

from infra.targets.process import modes


def cache_folder(name: str) -> Path:
    """Give the cache folder of this name for this user (XDG base directories).

    Denied where somebody else could have written there: what is cached is believed, and some of it is run.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "finance_report"
    modes.require_own((base, base / name), base, f"or take it away, it is made again: rm -r {base}")
    return base / name
