"""How much a YAML text may be: its depth, and its size with all aliases written out.

Told from the events, one after the other: what is too much is refused before anything is built of it, where
a deep text ends the process, and aliases that repeat aliases make 10^10 values out of ten lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

DEEPEST = 100
MOST = 1024 * 1024
VALUE = 16  # what a value weighs beside its letters
ITSELF = "a part of it contains itself"
_SIZE = f"{MOST // 1024 // 1024} MiB at most are expected"


def events(text: str, loader: Any) -> Iterator[Any]:
    """Give a text's events; YAMLError, with the line, where it is too deep, too large, or holds itself."""
    if len(text) > MOST:
        raise yaml.YAMLError(f"{_SIZE}, and it has {len(text)} letters")
    bounds = _Bounds()
    for event in yaml.parse(text, Loader=loader):
        bounds.take(event)
        yield event


def require_bounds(text: str, loader: Any) -> None:
    """Raise YAMLError for a text that is too much, or none."""
    for _ in events(text, loader):
        pass


class _Bounds:
    def __init__(self) -> None:
        self._weight = 0
        self._open: list[tuple[str | None, int]] = []
        self._anchors: dict[str, int | None] = {}

    def take(self, event: Any) -> None:
        """Count an event."""
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, before = self._open.pop()
            self._name(anchor, self._weight - before)
        elif isinstance(event, yaml.AliasEvent):
            self._add(event, self._repeated(event))
        elif isinstance(event, yaml.ScalarEvent):
            self._add(event, VALUE + len(event.value))
            self._name(event.anchor, VALUE + len(event.value))
        elif isinstance(event, yaml.CollectionStartEvent):
            self._begin(event)

    def _begin(self, event: Any) -> None:
        self._open.append((event.anchor, self._weight))
        self._name(event.anchor, None)
        self._add(event, VALUE)
        if len(self._open) > DEEPEST:
            raise _refused(event, f"nested deeper than {DEEPEST} levels")

    def _repeated(self, event: Any) -> int:
        weight = self._anchors.get(event.anchor, VALUE)
        if weight is None:
            raise _refused(event, ITSELF)
        return weight

    def _name(self, anchor: str | None, weight: int | None) -> None:
        if anchor:
            self._anchors[anchor] = weight

    def _add(self, event: Any, weight: int) -> None:
        self._weight += weight
        if self._weight > MOST:
            raise _refused(event, f"{_SIZE}, with what aliases repeat written out, and here it is more")


def _refused(event: Any, words: str) -> yaml.YAMLError:
    return yaml.composer.ComposerError(None, None, words, event.start_mark)
