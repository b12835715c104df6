"""Which store made the passwords of an environment's data: with another store's they are of no use."""

from __future__ import annotations

from pathlib import Path

from infra.model.places import Places
from infra.targets.process import modes

FILE_STORE = "file store"
NAME = "vault.cluster"


def made_with(places: Places) -> str:
    """Give the cluster id of the Vault, or `FILE_STORE`; empty while there is no data."""
    root = Path(places.root)
    if not any(root.glob("data/*")):
        return ""
    try:
        return (root / NAME).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return FILE_STORE


def remember(places: Places, cluster: str) -> None:
    """Write down the cluster whose secrets are used from now on; a repeat is safe."""
    file = Path(places.root) / NAME
    if not file.exists() or file.read_text(encoding="utf-8").strip() != cluster:
        modes.write(file, f"{cluster}\n")
