"""A compose text as YAML nodes, composed once: how it is written matters as much as what it says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from infra.plan.lint.composer import Node, NotYaml, compose
from infra.plan.lint.nodes import entries, pairs
from infra.plan.lint.sent import Sent

_STEPS = 6


class Scalar(NamedTuple):
    """A scalar, and the keys that lead to it; items of a list have the path of their list."""

    path: tuple[str, ...]
    node: Node
    is_key: bool

    @property
    def service(self) -> str:
        """The service that it stands in, if any."""
        return service_of(self.path)


def service_of(path: tuple[str, ...]) -> str:
    """Give the service that a path leads into, empty for other places."""
    return path[1] if len(path) > 1 and path[0] == "services" else ""


@dataclass(frozen=True)
class ComposeService:
    """One entry of `services`."""

    name: str
    node: Node

    @cached_property
    def keys(self) -> dict[str, Node]:
        """Its keys."""
        return entries(self.node)

    @cached_property
    def labels(self) -> dict[str, str]:
        """Its labels; one without a value is empty."""
        return {key: value or "" for key, value, _ in pairs(self.keys.get("labels"))}

    @cached_property
    def environment(self) -> dict[str, str]:
        """Its variables; one without a value is empty."""
        return {key: value or "" for key, value, _ in pairs(self.keys.get("environment"))}

    @property
    def is_job(self) -> bool:
        """True when it runs once and ends."""
        return self.labels.get("infra.job") == "once"

    @property
    def is_agent(self) -> bool:
        """True when it renders secrets for others."""
        return "-vault-agent" in self.name


@dataclass(frozen=True)
class Document:
    """What was sent, and its root node; a text that is no YAML has none, and `unreadable` says why."""

    sent: Sent
    root: Node | None = None
    unreadable: str = ""

    @cached_property
    def top(self) -> dict[str, Node]:
        """The keys of the file."""
        return entries(self.root)

    @cached_property
    def services(self) -> tuple[ComposeService, ...]:
        """The services that are written as mappings."""
        found = entries(self.top.get("services")).items()
        return tuple(ComposeService(name, node) for name, node in found if node.id == "mapping")

    @cached_property
    def collections(self) -> tuple[tuple[tuple[str, ...], Node], ...]:
        """Every list and mapping once, with the keys that lead to it, in the order of the text."""
        return tuple(_collections(self.root))

    @cached_property
    def scalars(self) -> tuple[Scalar, ...]:
        """Every scalar, keys as well."""
        return tuple(one for path, node in self.collections for one in _scalars(path, node))


def read(sent: Sent) -> Document:
    """Give the document of what is sent; this never raises, whatever the text is."""
    try:
        return Document(sent, compose(sent.text))
    except NotYaml as error:
        return Document(sent, unreadable=str(error))


def _collections(root: Node | None) -> Iterator[tuple[tuple[str, ...], Node]]:
    """Visit each node once, however often aliases repeat it."""
    waiting: list[tuple[tuple[str, ...], Node]] = [((), root)] if root is not None else []
    seen: set[int] = set()
    while waiting:
        path, node = waiting.pop()
        if node.id == "scalar" or id(node) in seen:
            continue
        seen.add(id(node))
        yield path, node
        below = [(_below(path, key), value) for key, value in _entries(node)]
        waiting.extend(reversed(below))


def _entries(node: Node) -> list[tuple[Node | None, Node]]:
    return node.value if node.id == "mapping" else [(None, item) for item in node.value]


def _below(path: tuple[str, ...], key: Node | None) -> tuple[str, ...]:
    """Give the path below a key; rules look at the first steps only, so a deep text stays cheap."""
    return path if key is None or key.id != "scalar" else (*path, key.value)[:_STEPS]


def _scalars(path: tuple[str, ...], node: Node) -> Iterator[Scalar]:
    for key, value in _entries(node):
        below = _below(path, key)
        if key is not None and key.id == "scalar":
            yield Scalar(below, key, is_key=True)
        if value.id == "scalar":
            yield Scalar(below, value, is_key=False)
