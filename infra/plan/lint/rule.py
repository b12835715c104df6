"""A rule of the lint, and one place that breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from infra.plan.lint.composer import Node
from infra.plan.lint.document import Document


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, in which service and at which node; without a node the whole file is meant."""

    what: str
    service: str = ""
    node: Node | None = None
    is_unknown: bool = False

    @property
    def message(self) -> str:
        """What is wrong, with its line."""
        return f"{self.what} (line {self.node.line})" if self.node else self.what


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule by its number: what it demands, how a fault is mended, and how faults are found."""

    id: str
    demands: str
    fix: str
    find: Callable[[Document], Iterator[Fault]]
