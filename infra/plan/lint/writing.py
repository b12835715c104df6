"""How values are written, so that each reader and printer takes them as they are (C11 to C13, C18)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from infra.plan.lint.composer import Node
from infra.plan.lint.document import Document, Scalar, service_of
from infra.plan.lint.nodes import BLOCK, is_quoted, items, pairs, text
from infra.plan.lint.readers import loses_quotes, misread
from infra.plan.lint.rule import Fault, Rule

_MODE = re.compile(r"0?[0-7]{3,4}")
_MODES_OF = frozenset({"configs", "secrets", "volumes"})
_ALWAYS_QUOTED = ("labels", "command", "entrypoint", "test")
MERGE = "<<"
_STANDARD = "tag:yaml.org,2002:"


def _environment(document: Document) -> Iterator[Fault]:
    for service in document.services:
        node = service.keys.get("environment")
        if node is not None and node.id == "mapping":
            yield Fault("environment is a mapping", service.name, node)
        for item in items(node):
            if not is_quoted(item):
                yield Fault(f"the variable {_name(item)} is not in quotes", service.name, item)
            elif "=" not in item.value:
                yield Fault(f"the variable {_name(item)} takes its value from elsewhere", service.name, item)


def _name(item: Node) -> str:
    return text(item).partition("=")[0] or "without a name"


def _modes(document: Document) -> Iterator[Fault]:
    for one in document.scalars:
        if _is_mode(one) and not (is_quoted(one.node) and _MODE.fullmatch(one.node.value)):
            yield Fault(f"mode {one.node.value} is not an octal number in quotes", one.service, one.node)


def _is_mode(one: Scalar) -> bool:
    is_in_place = len(one.path) > 3 and one.path[2] in _MODES_OF
    return is_in_place and one.path[-1] == "mode" and not one.is_key


def _bare(document: Document) -> Iterator[Fault]:
    for one in document.scalars:
        if not _is_mode(one) and one.path[2:3] != ("environment",):
            words = _misreading(one)
            if words:
                yield Fault(words, one.service, one.node)


def _misreading(one: Scalar) -> str:
    word, is_in_quotes = one.node.value, is_quoted(one.node)
    if is_in_quotes and loses_quotes(word):
        return f'"{word}" loses its quotes when the platform prints it, and is no text then'
    if is_in_quotes or one.node.style == BLOCK:
        return ""
    if misread(word):
        return f"{word} is bare and may be read as {misread(word)}"
    if not one.is_key and any(key in one.path[2:4] for key in _ALWAYS_QUOTED):
        return f"{word or 'nothing'} stands bare in {one.path[2]}"
    return ""


def _plain(document: Document) -> Iterator[Fault]:
    for path, node in document.collections:
        place = service_of(path)
        for key in _repeated(node):
            words = "a merge (<<) is used" if key.value == MERGE else f"the key {key.value} is written twice"
            yield Fault(words, place, key)
        for child in (node, *_children(node)) if node is document.root else _children(node):
            if child.tag:
                yield Fault(f"the tag {child.tag.removeprefix(_STANDARD)} is used", place, child)
            if child.anchor:
                yield Fault(f"the anchor {child.anchor} is used", place, child)
    for service in document.services:
        for kind in ("environment", "labels"):
            yield from _twice(kind, service.name, service.keys.get(kind))


def _children(node: Node) -> Iterator[Node]:
    for child in node.value:
        yield from child if node.id == "mapping" else (child,)


def _repeated(node: Node) -> Iterator[Node]:
    """Give the keys that are there already, and those that bring other keys in."""
    seen: set[str] = set()
    for key, _ in node.value if node.id == "mapping" else []:
        if key.id == "scalar" and (key.value in seen or key.value == MERGE):
            yield key
        seen.add(str(key.value))


def _twice(kind: str, service: str, node: Node | None) -> Iterator[Fault]:
    seen: set[str] = set()
    for key, _, item in pairs(node):
        if key in seen:
            yield Fault(f"{key} is written twice in {kind}", service, item)
        seen.add(key)


RULES = (
    Rule(
        "C11",
        'environment in list form: - "KEY=value"',
        'write each variable as "KEY=value" in a list: a mapping loses quotes when it is printed again',
        _environment,
    ),
    Rule("C12", 'modes are quoted strings: "0440"', 'write it like "0440": a bare 0440 becomes 440', _modes),
    Rule(
        "C13",
        "label and command values in quotes; dates, yes, 1_000, 0b11, 1.10 never bare",
        'put it in quotes; what looks like a number even then goes into a "KEY=value" item',
        _bare,
    ),
    Rule(
        "C18",
        "no duplicate key, no anchor, no tag such as !reset",
        "write each value out, once",
        _plain,
    ),
)
