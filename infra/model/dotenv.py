r"""The rendered secrets file: `KEY='value'` lines sorted by key; `'` inside is written `'\''`.

Shells, the agent's template and the application read the same grammar (vault section of the manual).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from infra.model.errors import BadInput
from infra.model.secret import KEY, Secret

UNRENDERED = "<no value>"
# Possessive, so that a broken file of any size fails in linear time.
_ENTRY = re.compile(rf"({KEY.pattern})='((?:[^'\0]++|'\\'')*+)'\n")


def encode(values: Mapping[str, Secret | str], required: Collection[str] = ()) -> str:
    """Give the file's text; BadInput names the key that cannot be written, never its value.

    Write it as UTF-8 without newline translation. `required` keys must be there and not empty.
    """
    texts = {key: plain(value) for key, value in values.items()}
    for key in sorted({*texts, *required}):
        fault = _fault(key, texts.get(key, ""), is_required=key in required)
        if fault:
            raise BadInput(f"{key!r} {fault}")
    return "".join(f"{key}={_quoted(texts[key])}\n" for key in sorted(texts))


def parse(text: str) -> dict[str, str]:
    """Give the values of a file that `encode` wrote; BadInput names the line, never what it holds."""
    values: dict[str, str] = {}
    position, last = 0, ""
    while position < len(text):
        entry = _ENTRY.match(text, position)
        key, value = (entry[1], entry[2].replace(r"'\''", "'")) if entry else ("", "")
        if entry is None or key <= last or UNRENDERED in value:
            line = text.count("\n", 0, position) + 1
            raise BadInput(f"line {line}: {_complaint(key, last)}")
        values[key], position, last = value, entry.end(), key
    return values


def plain(value: Secret | str) -> str:
    """Give what will be written; whoever asks owns what happens to it."""
    return value.reveal() if isinstance(value, Secret) else value


def _quoted(value: str) -> str:
    return "'" + value.replace("'", r"'\''") + "'"


def _fault(key: str, value: str, *, is_required: bool) -> str:
    rules = (
        (not KEY.fullmatch(key), f"is no key: keys are written {KEY.pattern}"),
        (is_required and not value, "is required and empty"),
        ("\0" in value, "holds a NUL"),
        (UNRENDERED in value, f"holds the text {UNRENDERED}"),
        (any("\ud800" <= character <= "\udfff" for character in value), "is no Unicode text"),
    )
    return next((words for is_broken, words in rules if is_broken), "")


def _complaint(key: str, last: str) -> str:
    if not key:
        return "expected KEY='value'"
    return (
        f"{key} holds the text {UNRENDERED}"
        if key > last
        else f"{key} is not in the order of keys, or doubled"
    )
