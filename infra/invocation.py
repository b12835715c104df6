"""One run of one command, before it is known which environment it is about."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from infra.console import Console
from infra.model.interruption import Interruption
from infra.model.redaction import Redactor
from infra.model.verdict import Outcome


@dataclass(frozen=True, slots=True)
class Command:
    """Its outcome, its console, the redactor that both speak through, the checkout and the variables.

    `interruption` is what a person's signals ask of it.
    """

    outcome: Outcome
    console: Console
    redactor: Redactor
    root: Path
    variables: dict[str, str]
    interruption: Interruption = field(default_factory=Interruption)
