"""How strings are written in a compose file: double-quoted or as a block, with every `$` doubled."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping


def quoted(value: object) -> str:
    """Give a YAML string that compose neither interpolates nor reads as anything but a string."""
    return json.dumps(_literal(str(value)), ensure_ascii=False)


def quoted_list(values: Iterable[object]) -> str:
    """Give a YAML list of such strings on one line."""
    return f"[{', '.join(map(quoted, values))}]"


def block(text: str, indent: int) -> str:
    """Give a text as a YAML block below its key; a text that a block cannot hold exactly is quoted."""
    is_plain = text.endswith("\n") and not text.endswith("\n\n") and not text.startswith((" ", "\n", "\t"))
    if not is_plain or not all(line.isprintable() for line in text.replace("\t", " ").split("\n")):
        return quoted(text)
    margin = " " * indent
    lines = (f"{margin}{line}" if line else "" for line in _literal(text).rstrip("\n").split("\n"))
    return "|\n" + "\n".join(lines)


def _literal(text: str) -> str:
    """Give a text whose dollars compose leaves alone (compose specification, interpolation)."""
    return text.replace("$", "$$")


FILTERS: Mapping[str, Callable[..., str]] = {"quoted": quoted, "quoted_list": quoted_list, "block": block}
