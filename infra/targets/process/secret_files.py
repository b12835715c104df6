"""Rendered secrets files: written beside and renamed, private, read back."""

from __future__ import annotations

import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from infra.model import dotenv
from infra.model.observed import Absent, Found, Unknown
from infra.model.secret import Secret
from infra.targets.process import modes


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
    write_text(file, dotenv.encode(values))


def write_text(file: Path, text: str) -> None:
    """Write a private text, 0600; a reader sees the old one or the new one, never half."""
    modes.private_folder(file.parent)
    modes.write(file, text, modes.PRIVATE)
