"""A plan: the ordered operations that make what runs into what is wanted."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "generate-secrets",
    "rewrite-derived",
    "write-secrets",
    "create-data",
    "store-release",
    "start-supervisor",
    "install-program",
    "create-account",
    "change-owner",
    "move-ports",
    "stop-unit",
    "start-unit",
    "restart-unit",
    "ensure-database",
    "downgrade-database",
    "create-folder",
    "create-compose",
    "update-compose",
    "write-env",
    "deliver-credential",
    "deploy",
    "remove-container",
]


IN_THE_STORE: frozenset[Kind] = frozenset({"generate-secrets", "rewrite-derived"})


@dataclass(frozen=True, slots=True)
class Operation:
    """One call to a target: what it does, to what, and why it is needed.

    `is_certain` is false where something that decides it could not be read; nothing uncertain is carried out.
    """

    kind: Kind
    service: str
    subject: str
    reason: str
    is_certain: bool = True

    def __str__(self) -> str:
        """Give the line that people read in a plan."""
        doubt = "" if self.is_certain else "perhaps "
        return f"{doubt}{self.kind.replace('-', ' ')} {self.subject}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Plan:
    """Ordered operations; none at all means that there is nothing to do.

    `left_alone` names services that have a pending change of their own and are not part of this run. `facts`
    are the observed and wanted facts that it was made from, without times and counters.
    """

    operations: tuple[Operation, ...]
    left_alone: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()

    @property
    def identity(self) -> str:
        """Twelve hex digits over the facts and the operations; equal when nothing has moved."""
        steps = (f"{step.kind} {step.service} {step.subject}" for step in self.operations)
        return hashlib.sha256("\n".join((*self.facts, *steps)).encode()).hexdigest()[:12]

    @property
    def is_empty(self) -> bool:
        """True when what runs is what is wanted."""
        return not self.operations

    @property
    def services(self) -> tuple[str, ...]:
        """The services that the operations touch, in order, each once."""
        return tuple(dict.fromkeys(operation.service for operation in self.operations))
