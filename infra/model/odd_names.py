"""File names as they may be shown: whatever bytes a name holds, its line on a terminal stays one line."""

from __future__ import annotations

import shlex

from infra.model.visible import visible


def shown(name: object) -> str:
    """Give a name or path with everything escaped that is not printable."""
    return visible(str(name))


def quoted(name: object) -> str:
    """Give a name or path as a word of a command line, in bash's and zsh's form where it must be escaped."""
    text = str(name)
    if text.isprintable():
        return shlex.quote(text)
    return f"$'{shown(text.replace(chr(92), chr(92) * 2).replace(chr(39), chr(92) + chr(39)))}'"
