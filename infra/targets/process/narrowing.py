"""An environment's state as narrow as we make it: looked at before each deploy uses it."""

from __future__ import annotations

import stat
from collections.abc import Collection, Iterator
from pathlib import Path

from infra.targets.process import modes

_FILES = ("*", "run/*", "run/*/*", "logs/*", "data/*/.infra.json")
_DATA = "data/*"  # the user that runs a server may own its data folder
_TREES = {"releases/*": modes.CLOSED, "../../programs/*": modes.PASSABLE}


def narrow(root: Path, *advice: str, accounts: Collection[int] = ()) -> int:
    """Take from what lies below an environment's state folder the rights that others need not have.

    Gives how many files and folders were wider. Denied where somebody else could have written what runs next:
    then nothing is changed, and `advice` is told. The accounts may own data. The inside of a tree is looked
    at while its top is wider than we make it.
    """
    base = root.parents[1]
    above = dict.fromkeys((base, root.parent, base / "programs", root), modes.PASSABLE)
    own = above | {path: _widest(path) for pattern in _FILES for path in root.glob(pattern)}
    trees = {path: widest for pattern, widest in _TREES.items() for path in _below(root, pattern)}
    modes.require_own((*own, *trees), base, *advice)
    data = dict.fromkeys(root.glob(_DATA), modes.PASSABLE)
    wider = {path: widest for path, widest in (own | trees | data).items() if _rights(path) & ~widest}
    modes.require_own((path for top in wider.keys() & trees for path in modes.inside(top)), base, *advice)
    modes.require_own(data, base, *advice, accounts=accounts)
    for path, widest in wider.items():
        path.chmod(path.stat().st_mode & (widest | 0o700))
    return len(wider)


def _below(root: Path, pattern: str) -> Iterator[Path]:
    folder, _, names = pattern.rpartition("/")
    return (root / folder).glob(names)


def _widest(path: Path) -> int:
    if path.is_dir():
        return modes.PASSABLE
    return modes.PRIVATE if path.is_socket() else modes.TEXT


def _rights(path: Path) -> int:
    """Give the rights that others have on a file or folder; none on a link, and on what is gone."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return 0
    return 0 if stat.S_ISLNK(mode) else mode & 0o077
