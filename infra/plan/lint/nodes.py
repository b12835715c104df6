"""Reads YAML nodes that may have any shape: what is not there, or is something else, is empty."""

from __future__ import annotations

from collections.abc import Iterator

from infra.plan.lint.composer import Node

BLOCK = "|"
QUOTED = ('"', "'")


def text(node: Node | None) -> str:
    """Give a scalar's text, empty for everything else."""
    return str(node.value) if node is not None and node.id == "scalar" else ""


def entries(node: Node | None) -> dict[str, Node]:
    """Give a mapping's values by key, the last one where a key is written twice."""
    if node is None or node.id != "mapping":
        return {}
    return {key.value: value for key, value in node.value if key.id == "scalar"}


def items(node: Node | None) -> list[Node]:
    """Give the items of a list."""
    return list(node.value) if node is not None and node.id == "sequence" else []


def texts(node: Node | None) -> list[str]:
    """Give the texts of a list, or the one text that stands in its place."""
    return [text(node)] if node is not None and node.id == "scalar" else [text(one) for one in items(node)]


def pairs(node: Node | None) -> Iterator[tuple[str, str | None, Node]]:
    """Give key, value and node of `KEY=value` items or of a mapping; without an `=` the value is None."""
    for key, value in entries(node).items():
        yield key, text(value), value
    for item in items(node):
        name, equals, written = text(item).partition("=")
        yield name, written if equals else None, item


def is_quoted(node: Node | None) -> bool:
    """Tell whether a scalar is written in quotes."""
    return node is not None and node.id == "scalar" and node.style in QUOTED


def is_plain(node: Node | None, value: str) -> bool:
    """Tell whether a scalar is this very word, without quotes."""
    return node is not None and node.id == "scalar" and not node.style and node.value == value
