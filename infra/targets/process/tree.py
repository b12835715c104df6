"""The application's tree: its digest by git's own algorithm, with or without a repository around it.

Dependency folders and caches are no part of it, nor are files that hold a person's own secrets.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.model.errors import BadInput
from infra.model.odd_names import quoted, shown

LINKED = frozenset({"node_modules", ".venv", "venv"})
SKIPPED = LINKED | {
    ".git",
    "__pycache__",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".hypothesis",
    ".coverage",
    ".DS_Store",
    "dist",
    "dist.new",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One file or symbolic link of a tree; `path` is relative, with slashes, its bytes as Python has them."""

    path: str
    mode: str
    blob: str


def skipped(name: str) -> bool:
    """Tell whether a file or folder of this name is no part of a release."""
    is_private = name == ".env" or (name.startswith(".env.") and name != ".env.example")
    return name in SKIPPED or is_private or name.endswith(".pyc")


def digest(root: Path, folders: Sequence[str]) -> str:
    """Give 40 hex digits over the content of these folders below the root.

    Equal to git's tree of the same files. Raises BadInput where a folder is missing or a file is odd.
    """
    found = [(path, _entry(file, path)) for path, file in members(root, folders)]
    entries = [entry for _, entry in found if entry is not None]
    return _tree(sorted((entry.path.split("/"), entry) for entry in entries))


def members(root: Path, folders: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """Give each file, folder and link of the tree: its path below the root, with slashes, and its place."""
    for folder in folders:
        start = root / folder
        with _in_words(start):
            is_there = start.is_dir()
        if not is_there:
            raise BadInput(
                f"{start}: the application has no such folder",
                next_step="set app.source in invoke.yaml to the application's checkout",
            )
        yield folder, start
        yield from _below(start, folder)


def _below(folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    with _in_words(folder), os.scandir(folder) as found:
        children = [child for child in found if not skipped(child.name)]
    for child in children:
        path = f"{prefix}/{child.name}"
        yield path, Path(child.path)
        if child.is_dir(follow_symlinks=False):
            yield from _below(Path(child.path), path)


def _entry(file: Path, path: str) -> Entry | None:
    """Give the entry of a file or link; None for a folder, of which git keeps nothing but what it holds."""
    with _in_words(file):
        mode = file.lstat().st_mode
        if stat.S_ISDIR(mode):
            return None
        if stat.S_ISLNK(mode):
            return Entry(path, "120000", _blob(os.fsencode(file.readlink())))
        if stat.S_ISREG(mode):
            return Entry(path, "100755" if mode & stat.S_IXUSR else "100644", _blob(file.read_bytes()))
    raise BadInput(f"{shown(file)}: neither a file, a folder nor a link", next_step=f"rm {quoted(file)}")


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        words = f"{shown(path)}: {error.strerror}"
        raise BadInput(words, next_step=f"ls -ld {quoted(path)}") from error


def _blob(content: bytes) -> str:
    return _sha1(b"blob %d\0" % len(content) + content)


def _tree(entries: list[tuple[list[str], Entry]]) -> str:
    """Give the id of the tree object of these entries, whose paths start at this level."""
    lines: list[tuple[str, bytes]] = []
    below: dict[str, list[tuple[list[str], Entry]]] = {}
    for parts, entry in entries:
        if len(parts) == 1:
            lines.append((parts[0], _line(entry.mode, parts[0], entry.blob)))
        else:
            below.setdefault(parts[0], []).append((parts[1:], entry))
    lines += [(f"{name}/", _line("40000", name, _tree(inside))) for name, inside in below.items()]
    body = b"".join(line for _, line in sorted(lines, key=lambda pair: os.fsencode(pair[0])))
    return _sha1(b"tree %d\0" % len(body) + body)


def _line(mode: str, name: str, identity: str) -> bytes:
    return mode.encode() + b" " + os.fsencode(name) + b"\0" + bytes.fromhex(identity)


def _sha1(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()
