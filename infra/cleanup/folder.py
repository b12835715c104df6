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
    """Remove a folder, or a file, and all in it; one that is gone is gone.

    What can be removed goes even where something else stays; CannotTell names the first that stays.
    """
    try:
        if folder.is_dir() and not folder.is_symlink():
            shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(folder)
        else:
            folder.unlink()
    except FileNotFoundError:
        return
    except OSError as error:
        raise CannotTell(f"{error.filename}: {error.strerror}", next_step=f"ls -ld {folder}") from error


def remove_empty(folder: Path, upto: Path) -> None:
    """Remove a folder and those above it, below `upto`, as long as they are empty."""
    for one in (folder, *folder.parents):
        if not one.is_relative_to(upto) or one == upto:
            return
        try:
            one.rmdir()
        except FileNotFoundError:
            continue
        except OSError:
            return
