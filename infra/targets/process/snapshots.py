"""Snapshots of the application: each deploy runs from its own, rollback returns to an older one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from infra.model.age import age
from infra.model.errors import CannotTell
from infra.model.odd_names import quoted, shown
from infra.targets.process import modes, tree

KEPT = 10


class Snapshots:
    """Snapshots in one folder, each named by the digest of what it holds; `again` is how to deploy again."""

    def __init__(self, folder: Path, parts: Sequence[str], again: str) -> None:
        self._folder, self._parts, self._again = folder, parts, again

    def intact(self, digest: str) -> bool:
        """Tell whether this snapshot is there and still holds what its name says."""
        root = self._folder / digest
        return root.is_dir() and tree.digest(root, self._parts) == digest

    def all(self) -> list[str]:
        """Give the digests of all snapshots, the one stored last first."""
        if not self._folder.is_dir():
            return []
        found = [path for path in self._folder.iterdir() if len(path.name) == 40]
        return [path.name for path in sorted(found, key=lambda path: -path.stat().st_mtime)]

    def require_closed(self, source: Path) -> None:
        """Refuse a tree that others can write, or whose owner does not own all of it: it would run next."""
        found = (path for _, path in tree.members(source, self._parts))
        modes.require_own(found, source, accounts=(modes.owner_of(source),))

    def store(self, source: Path, digest: str) -> None:
        """Copy the tree and check that the copy has this digest; CannotTell when the tree moved meanwhile.

        Denied where others can write the tree. Only we may enter the copy.
        A kill at any moment leaves no half snapshot under its name; a retry is safe.
        """
        self.require_closed(source)
        beside = self._folder / f".new-{os.getpid()}"
        shutil.rmtree(beside, ignore_errors=True)
        try:
            for part in self._parts:
                _copy(source / part, beside / part)
            beside.chmod(modes.CLOSED)
            self._check(beside, digest)
            shutil.rmtree(self._folder / digest, ignore_errors=True)
            beside.rename(self._folder / digest)
        except OSError as error:
            raise _uncopied(error, self._folder) from error
        finally:
            shutil.rmtree(beside, ignore_errors=True)

    def texts(self, digest: str, pattern: str) -> list[str]:
        """Give the texts of the files of a snapshot that match, in any of its folders."""
        files = sorted((self._folder / digest).rglob(pattern))
        return [file.read_text(encoding="utf-8", errors="replace") for file in files]

    def prune(self, needed: Iterable[str]) -> None:
        """Remove all but the last ten and those that are needed, and what a killed copy left.

        Where the time of one lies ahead, the clock was set back and the last ten cannot be told: all stay.
        """
        known = self.all()
        kept = {*(known if self._is_in_doubt(known) else known[:KEPT]), *needed}
        for path in self._folder.iterdir():
            if path.name not in kept:
                shutil.rmtree(path, ignore_errors=True)

    def _is_in_doubt(self, known: Iterable[str]) -> bool:
        now = datetime.now(UTC)
        made = (datetime.fromtimestamp((self._folder / one).stat().st_mtime, UTC) for one in known)
        return any(age(moment, now) is None for moment in made)

    def _check(self, copy: Path, digest: str) -> None:
        if tree.digest(copy, self._parts) != digest:
            raise CannotTell(
                "the application's tree changed while it was copied",
                next_step=self._again,
            )


def _uncopied(error: OSError, folder: Path) -> CannotTell:
    """Give what kept the tree from being copied, by the name of the first file that it kept."""
    name, words = error.filename, error.strerror
    if isinstance(error, shutil.Error):
        name, _, words = error.args[0][0]
    return CannotTell(f"{shown(name)}: {words}", next_step=f"df -h {folder}; ls -ld {quoted(name)}")


def _copy(source: Path, to: Path) -> None:
    """Copy a folder; dependency folders are linked, since they are large and not the application's."""
    modes.copy(source, to, lambda _, names: list(filter(tree.skipped, names)))
    for folder, names, _ in os.walk(source):
        for name in tree.LINKED.intersection(names):
            link = to / Path(folder).relative_to(source) / name
            link.symlink_to(Path(folder) / name)
        names[:] = [name for name in names if not tree.skipped(name)]
