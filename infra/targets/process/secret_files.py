"""Rendered secrets files: written beside and renamed, private, read back."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from infra.model import dotenv
from infra.model.observed import Absent, Found, Unknown
from infra.model.secret import Secret
from infra.targets.process import modes
from infra.targets.process.account import ids, uid_of

LEVELS = 3  # service, environment, checkout, and ours in the machine's memory


def digest(values: Mapping[str, Secret]) -> str:
    """Give the digest of the file that these values make; it stays in memory."""
    return sha256(dotenv.encode(values).encode()).hexdigest()


def agent_digest(values: Mapping[str, Secret]) -> str:
    """Give the digest of the file that an agent renders: optional values that are empty are left out."""
    return digest({key: value for key, value in values.items() if value.reveal()})


def read_digest(file: Path, user: str = "") -> Found[str] | Absent | Unknown:
    """Give the digest of the file as it lies there, if it is private to the account that it is for.

    Unknown when it is not readable.
    """
    try:
        owner = uid_of(user)
        status = file.stat()
        content = file.read_bytes()
    except (FileNotFoundError, KeyError):  # nothing lies there for an account that is not made yet
        return Absent()
    except OSError as error:
        return Unknown(f"{file}: {error.strerror}")
    is_private = status.st_uid == owner and not status.st_mode & 0o077
    return Found(sha256(content).hexdigest() if is_private else "not private")


def read(file: Path) -> Mapping[str, Secret]:
    """Give what a rendered file holds, nothing where there is no such file or it cannot be used."""
    try:
        return {key: Secret(text) for key, text in dotenv.parse(file.read_text(encoding="utf-8")).items()}
    except (OSError, ValueError):
        return {}


def write(file: Path, values: Mapping[str, Secret], user: str = "") -> None:
    """Write the file, 0600, for an account; a reader sees the old one or the new one, never half."""
    write_text(file, dotenv.encode(values), user)


def write_text(file: Path, text: str, user: str = "") -> None:
    """Write a private text, 0600, for an account; a reader sees the old one or the new one, never half."""
    make_folder(file.parent, user)
    modes.write(file, text, modes.PRIVATE, ids(user) if user else None)


def make_folder(folder: Path, user: str) -> None:
    """Make the folder of rendered files: ours alone, which the account that reads them may pass through.

    What writes there as root must find nothing that a server of that account has put there.
    """
    if not user:
        modes.private_folder(folder)
        return
    modes.walkable(folder)
    for ours in (folder, *list(folder.parents)[:LEVELS]):
        modes.let_pass(ours)
