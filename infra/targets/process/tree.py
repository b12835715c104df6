"""The application's tree: its digest by git's own algorithm, with or without a repository around it.

Dependency folders and caches are no part of it, nor are files that hold a person's own secrets.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.model.errors import BadInput

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
    """One file or symbolic link of a tree; `path` is relative, with slashes."""

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
    entries = [entry for folder in folders for entry in _entries(root, folder)]
    return _tree(sorted((entry.path.split("/"), entry) for entry in entries))


def _entries(root: Path, folder: str) -> Iterator[Entry]:
    start = root / folder
    if not start.is_dir():
        raise BadInput(
            f"{start}: the application has no such folder",
            next_step="set app.source in invoke.yaml to the application's checkout",
        )
    yield from _walk(start, folder)


def _walk(folder: Path, prefix: str) -> Iterator[Entry]:
    with os.scandir(folder) as found:
        children = sorted(found, key=lambda child: child.name)
    for child in children:
        if skipped(child.name):
            continue
        path = f"{prefix}/{child.name}"
        if child.is_dir(follow_symlinks=False):
            yield from _walk(Path(child.path), path)
        else:
            yield _entry(Path(child.path), path)


def _entry(file: Path, path: str) -> Entry:
    mode = file.lstat().st_mode
    if stat.S_ISLNK(mode):
        return Entry(path, "120000", _blob(str(file.readlink()).encode()))
    if not stat.S_ISREG(mode):
        raise BadInput(f"{file}: neither a file, a folder nor a link", next_step=f"rm {file}")
    try:
        content = file.read_bytes()
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}", next_step=f"ls -l {file}") from error
    return Entry(path, "100755" if mode & stat.S_IXUSR else "100644", _blob(content))


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
    body = b"".join(line for _, line in sorted(lines, key=lambda pair: pair[0].encode()))
    return _sha1(b"tree %d\0" % len(body) + body)


def _line(mode: str, name: str, identity: str) -> bytes:
    return f"{mode} {name}\0".encode() + bytes.fromhex(identity)


def _sha1(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()
