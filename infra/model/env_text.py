"""An env text as the platform's own parser reads it (node-dotenv), piece by piece; nothing of it is lost.

`KEY=value` or `KEY: value`, after an optional `export`. An unquoted value is trimmed and ends at the first
`#`; one in quotes may span lines. Where a key stands twice the last one counts. Other lines mean nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_SPACES = " \t\v\f\xa0\ufeff"
_ENTRY = re.compile(
    r"(?<![^\r\n])[S]*(?:export[S\r\n]+)?(?P<key>[A-Za-z0-9_.-]+)(?:[S\r\n]*=|:(?:\r\n|[S\r\n]))"
    r"(?P<value>[S\r\n]*'(?:\\'|[^'])*'|[S\r\n]*\"(?:\\\"|[^\"])*\"|[S\r\n]*`(?:\\`|[^`])*`|[^#\r\n]+)?"
    r"[S]*(?:#[^\r\n]*)?(?![^\r\n])(?:\r\n|\r|\n)?".replace("S", _SPACES)
)
_QUOTED = re.compile(r"^(['\"`])(.*)\1$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Piece:
    """An entry with all that belongs to it, or, without a key, what stands between two entries."""

    text: str = field(repr=False)
    key: str = ""
    value: str = field(default="", repr=False)


def pieces(text: str) -> Iterator[Piece]:
    """Give the pieces of a text in their order; their texts joined are the text itself."""
    position = 0
    for entry in _ENTRY.finditer(text):
        if entry.start() > position:
            yield Piece(text[position : entry.start()])
        yield Piece(entry[0], entry["key"], _value(entry["value"] or ""))
        position = entry.end()
    if position < len(text):
        yield Piece(text[position:])


def parse(text: str) -> dict[str, str]:
    """Give the values that the platform reads from a text, whoever wrote it."""
    return {piece.key: piece.value for piece in pieces(text) if piece.key}


def _value(text: str) -> str:
    text = re.sub(r"\r\n?", "\n", text).strip(f"{_SPACES}\n")
    plain = _QUOTED.sub(r"\2", text)
    return plain.replace(r"\n", "\n").replace(r"\r", "\r") if text.startswith('"') else plain
