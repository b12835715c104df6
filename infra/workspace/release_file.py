"""A release described by a file that somebody names."""

from __future__ import annotations

from pathlib import Path

from infra.model import json_text
from infra.model.errors import BadInput
from infra.model.release import Release, release_from_json


def load(file: Path) -> Release:
    """Give the release; BadInput when the file cannot be read or describes none."""
    try:
        value = json_text.parse(file.read_text(encoding="utf-8"))
    except OSError as error:
        words = f"{file}: {error.strerror}"
        raise BadInput(words, next_step="name a file: --release release.json") from error
    except ValueError as error:
        raise BadInput(f"{file}: no JSON: {error}", next_step=f"mend {file.name}") from error
    return release_from_json(value, file.name)
