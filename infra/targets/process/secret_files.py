"""Rendered secrets files: written beside and renamed, private, read back."""

from __future__ import annotations

import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from infra.model import dotenv
from infra.model.errors import Denied
from infra.model.observed import Absent, Found, Unknown
from infra.model.secret import Secret


def digest(values: Mapping[str, Secret]) -> str:
    """Give the digest of the file that these values make; it stays in memory."""
    return sha256(dotenv.encode(values).encode()).hexdigest()


def agent_digest(values: Mapping[str, Secret]) -> str:
    """Give the digest of the file that an agent renders: optional values that are empty are left out."""
    return digest({key: value for key, value in values.items() if value.reveal()})


def read_digest(file: Path) -> Found[str] | Absent | Unknown:
    """Give the digest of the file as it lies there; Unknown when it is not private or not readable."""
    try:
        status = file.stat()
        content = file.read_bytes()
    except FileNotFoundError:
        return Absent()
    except OSError as error:
        return Unknown(f"{file}: {error.strerror}")
    is_private = status.st_uid == os.getuid() and not status.st_mode & 0o077
    return Found(sha256(content).hexdigest() if is_private else "not private")


def read(file: Path) -> Mapping[str, Secret]:
    """Give what a rendered file holds, nothing where there is no such file or it cannot be used."""
    try:
        return {key: Secret(text) for key, text in dotenv.parse(file.read_text(encoding="utf-8")).items()}
    except (OSError, ValueError):
        return {}


def write(file: Path, values: Mapping[str, Secret]) -> None:
    """Write the file, 0600; a reader sees the old one or the new one, never half."""
    private_folder(file.parent)
    beside = file.with_name(file.name + ".new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as out:
        out.write(dotenv.encode(values))
    beside.replace(file)


def private_folder(folder: Path) -> None:
    """Make a folder, and what is missing above it, of mode 0700.

    Denied when somebody else owns a folder on the way, or when the last one is a link.
    """
    for path in (*reversed(folder.parents), folder):
        path.mkdir(exist_ok=True, mode=0o700)
        if path.lstat().st_uid not in {0, os.getuid()}:
            raise Denied(f"{path} belongs to somebody else", next_step=f"ls -ld {path}")
    if folder.is_symlink() or folder.lstat().st_uid != os.getuid():
        raise Denied(f"{folder} belongs to somebody else or is a link", next_step=f"ls -ld {folder}")
    folder.chmod(0o700)
