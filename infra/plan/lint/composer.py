"""YAML events to nodes: every scalar stays the text that is written, and how it is written is kept.

A composer of our own, for three reasons: the usual ones lose anchors, they are recursive, so that a deep
text ends the process, and they resolve plain words, which is what the lint is about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from infra.model.yaml_bounds import events

Kind = Literal["scalar", "sequence", "mapping"]
_COLLECTIONS: dict[str, Kind] = {"SequenceStartEvent": "sequence", "MappingStartEvent": "mapping"}
_ENDS = frozenset({"SequenceEndEvent", "MappingEndEvent"})


class NotYaml(ValueError):
    """The text cannot be read as one YAML document; the message says why and where."""


@dataclass(slots=True)
class Node:
    """A scalar with its text, a list of nodes, or a mapping as pairs of nodes; lines count from 1.

    `style` is the quote or the sign of a block, empty for what is bare. `tag` and `anchor` are empty where
    none is written. An alias is the node that it names.
    """

    id: Kind
    value: Any
    line: int
    style: str = ""
    tag: str = ""
    anchor: str = ""


def compose(text: str) -> Node | None:
    """Give the root of a text, None for an empty one; NotYaml for everything that is no single document."""
    import yaml

    try:
        return _composed(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise NotYaml(f"not YAML{line}: {error.problem or error.context}") from error
    except (yaml.YAMLError, UnicodeError) as error:
        raise NotYaml(f"not YAML: {' '.join(str(error).split())}") from error


def _composed(text: str) -> Node | None:
    import yaml

    tree = _Tree()
    for event in events(text, getattr(yaml, "CBaseLoader", yaml.BaseLoader)):
        tree.take(event)
    if len(tree.roots) > 1:
        raise NotYaml(f"not one document but {len(tree.roots)}, line {tree.roots[1].line}")
    return tree.roots[0] if tree.roots else None


class _Tree:
    """Nodes while they grow: the collections that are open, and the children of the innermost one."""

    def __init__(self) -> None:
        self.roots: list[Node] = []
        self._children = self.roots
        self._open: list[tuple[Node, list[Node]]] = []
        self._anchors: dict[str, Node] = {}

    def take(self, event: Any) -> None:
        """Take the next event in."""
        kind = type(event).__name__
        if kind == "ScalarEvent":
            self._add(event, Node("scalar", event.value, event.start_mark.line + 1, event.style or ""))
        elif kind in _COLLECTIONS:
            self._begin(self._add(event, Node(_COLLECTIONS[kind], [], event.start_mark.line + 1)))
        elif kind in _ENDS:
            self._end()
        elif kind == "AliasEvent":
            self._repeat(event.anchor, event.start_mark.line + 1)

    def _add(self, event: Any, node: Node) -> Node:
        self._children.append(node)
        node.tag = event.tag or ""
        if event.anchor:
            node.anchor = event.anchor
            self._anchors[event.anchor] = node
        return node

    def _repeat(self, anchor: str, line: int) -> None:
        if anchor not in self._anchors:
            raise NotYaml(f"not YAML, line {line}: the alias {anchor} repeats nothing")
        self._children.append(self._anchors[anchor])

    def _begin(self, node: Node) -> None:
        self._open.append((node, self._children))
        self._children = node.value

    def _end(self) -> None:
        """Close the innermost collection: in a mapping each second child is a value."""
        node, self._children = self._open.pop()
        if node.id == "mapping":
            node.value = list(zip(node.value[::2], node.value[1::2], strict=True))
