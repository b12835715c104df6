"""Errors in an agent's log, with the moment of each: the agent's own lines, and those of its entry point."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

_OWN = re.compile(r"(?P<at>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)) \[ERROR\] (?P<words>.*)")
_ENTRY = re.compile(r"\[VAULT-AGENT\] at=(?P<at>\S+) state=fail deploy=\S+ (?P<words>reason=.*)")
_KINDS = (
    ("refused wrapping", ("reason=wrap_",)),
    ("denied", ("permission denied", "Code: 403")),
    ("invalid credential", ("invalid role or secret ID", "Code: 400")),
    ("template error", ("map has no entry", "no secret exists", "template server", "(runner)")),
    ("sealed", ("Vault is sealed", "Code: 503")),
    ("unreachable", ("connection refused", "timeout", "deadline exceeded")),
)
BAD = ("refused wrapping", "denied", "invalid credential", "template error")


def errors_since(lines: Iterable[str], since: datetime) -> tuple[str, ...]:
    """Give the kinds of errors that were logged since a moment and that a person has to mend, each once."""
    found = (_kind(words) for at, words in _errors(lines) if at >= since)
    return tuple(dict.fromkeys(kind for kind in found if kind in BAD))


def window(now: datetime) -> datetime:
    """Give since when a line counts: an older one tells of what may long be mended."""
    return now - timedelta(hours=1)


def _errors(lines: Iterable[str]) -> Iterator[tuple[datetime, str]]:
    for line in lines:
        if match := _OWN.match(line.strip()) or _ENTRY.match(line.strip()):
            yield datetime.fromisoformat(match["at"]), match["words"]


def _kind(words: str) -> str:
    return next((kind for kind, signs in _KINDS if any(sign in words for sign in signs)), "")
