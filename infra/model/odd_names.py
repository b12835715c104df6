"""File names as they may be shown: whatever bytes a name holds, its line on a terminal stays one line."""

from __future__ import annotations

import shlex

_BYTES = range(0xDC80, 0xDD00)  # how Python carries the bytes of a name that is not UTF-8


def shown(name: object) -> str:
    """Give a name or path with everything escaped that is not printable."""
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in str(name))


def quoted(name: object) -> str:
    """Give a name or path as a word of a command line, in bash's and zsh's form where it must be escaped."""
    text = str(name)
    if text.isprintable():
        return shlex.quote(text)
    return f"$'{shown(text.replace(chr(92), chr(92) * 2).replace(chr(39), chr(92) + chr(39)))}'"


def _escaped(letter: str) -> str:
    code = ord(letter)
    if code in _BYTES:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
