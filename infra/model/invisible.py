"""Characters in a value that nobody sees: they come along with a copy, and the value is refused elsewhere."""

from __future__ import annotations

import unicodedata

_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_KINDS = {
    "Cc": "a control character",
    "Cf": "an invisible character",
    "Cs": "half a character",
    "Zl": "a line separator",
    "Zp": "a paragraph separator",
    "Zs": "white space",
}
_NAMES = {"\t": "tab", "\n": "line end", "\r": "carriage return", "\x1b": "escape", "\x7f": "delete"}


def invisible(text: str) -> str:
    """Give what a text holds that nobody sees: kind and place of the first one, counted from 1; else nothing.

    The words show no other character of it.
    """
    found = [(place, kind) for place, letter in enumerate(text, 1) if (kind := _kind(letter))]
    if not found:
        return ""
    place, kind = found[0]
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return f"holds {kind} {_name(text[place - 1])} at position {place}{more}"


def _kind(letter: str) -> str:
    is_mark = letter in _FILLERS or 0xFE00 <= ord(letter) <= 0xFE0F or 0xE0100 <= ord(letter) <= 0xE01EF
    return _KINDS["Cf"] if is_mark else _KINDS.get(unicodedata.category(letter), "")


def _name(letter: str) -> str:
    name = _NAMES.get(letter) or unicodedata.name(letter, "").lower()
    return f"(U+{ord(letter):04X}{', ' if name else ''}{name})"
