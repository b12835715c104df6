"""Folders by size, and taken away with all that is in them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from infra.model.errors import CannotTell


def size(folders: Iterable[Path]) -> int:
    """Give the bytes of all files below these folders; what cannot be read counts nothing."""
    return sum(_size(folder) for folder in folders)


def _size(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(f"{place}/{name}").st_size
            except OSError:
                continue
    return total


def remove(folder: Path) -> None:
    """Remove a folder and all in it; CannotTell names what could not be removed. One that is gone is gone."""
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return
    except OSError as error:
        raise CannotTell(f"{error.filename}: {error.strerror}", next_step=f"ls -ld {folder}") from error
