"""The files of an application's checkout that say which variables it reads."""

from __future__ import annotations

from pathlib import Path

from infra.model.errors import BadInput


def read(source: Path, name: str) -> str:
    """Give a file's text; BadInput names the file that is missing or cannot be read."""
    try:
        return (source / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        words = error.strerror if isinstance(error, OSError) else "no UTF-8 text"
        raise BadInput(
            f"{name}: {words} in {source}", next_step=f"write {name}, or mend app.source"
        ) from error
