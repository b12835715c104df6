"""What the readers of a compose text make of a bare word: YAML 1.1, YAML 1.2, and the Go library of compose.

The platform parses the text by YAML 1.2 and prints it anew; compose then reads that with Go's YAML.
"""

from __future__ import annotations

import re

_SAFE = re.compile(r"true|false|-?(0|[1-9][0-9]{0,14})")
_STARTS_A_NUMBER = frozenset("+-.0123456789")
_BOOLEAN = frozenset(
    form
    for word in ("y", "n", "yes", "no", "on", "off", "true", "false")
    for form in (word, word.title(), word.upper())
)
_NOTHING = frozenset({"~", "null", "Null", "NULL"})
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt\s].*)?", re.DOTALL)
_BY_SIXTIES = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
_WHOLE = re.compile(r"[-+]?(0[bB][01]+|0[oO][0-7]+|0[xX][0-9a-fA-F]+|[0-9]+)")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NEW_WHOLE = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")


def misread(word: str) -> str:
    """Say what a reader makes of a bare word that is no plain number, true or false; empty for a text."""
    if not word or _SAFE.fullmatch(word):
        return ""
    if word in _BOOLEAN:
        return "a boolean"
    if word in _NOTHING:
        return "nothing"
    if word[0] not in _STARTS_A_NUMBER:
        return ""
    return "a date" if _DATE.fullmatch(word) else "another number" if _is_number(word) else ""


def loses_quotes(word: str) -> bool:
    """Tell whether a word is printed without its quotes and then read as something else than a text."""
    if not word or word[0] not in _STARTS_A_NUMBER or _INFINITE.fullmatch(word):
        return False
    keeps = _NEW_WHOLE.fullmatch(word) or _DECIMAL.fullmatch(word)
    return not keeps and bool(_DATE.fullmatch(word) or _is_go_number(word))


def _is_number(word: str) -> bool:
    return bool(_is_go_number(word) or _BY_SIXTIES.fullmatch(word) or _INFINITE.fullmatch(word))


def _is_go_number(word: str) -> bool:
    plain = word.replace("_", "")
    return bool(_WHOLE.fullmatch(plain) or _DECIMAL.fullmatch(plain))
