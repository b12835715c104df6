"""Text of others as it may be shown: what a terminal would obey or a reader would miss is escaped."""

from __future__ import annotations

import re

_BYTES = range(0xDC80, 0xDD00)  # how Python carries bytes that are not UTF-8
_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")
# White space and joiners of scripts: they move nothing but the next letter.
LINE = frozenset("\t\u00a0\u2007\u202f\u3000\u200c\u200d")
LINES = LINE | {"\n"}


def visible(text: str, keeps: frozenset[str] = frozenset()) -> str:
    """Give a text with everything escaped that is not printable, but for what `keeps` holds.

    That is: control characters of both ranges, DEL, separators of lines, marks of direction and other
    invisible ones, halves of characters, bytes that are no text. What went through once stays as it is.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in keeps else _escaped(one) for one in text)


def coloured(text: str) -> str:
    """Give a passage whose lines and colours stay, and nothing else that a terminal would obey."""
    pieces = _COLOUR.split(text)
    return "".join(piece if place % 2 else visible(piece, LINES) for place, piece in enumerate(pieces))


def in_json(text: str) -> str:
    """Give a JSON text of one line that means the same, with JSON's own escapes for what is not printable."""
    return text if text.isprintable() else "".join(one if one.isprintable() else _units(one) for one in text)


def _escaped(letter: str) -> str:
    code = ord(letter)
    if code in _BYTES:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _units(letter: str) -> str:
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place : place + 2].hex()}" for place in range(0, len(units), 2))
