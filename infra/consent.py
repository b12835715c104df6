"""A person's leave for what cannot be undone, or what changes production."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from infra.model.errors import BadInput

if TYPE_CHECKING:
    from infra.console import Console
    from infra.model.environment import Environment


def require(console: Console, word: str, deed: str, *, with_yes: str, otherwise: str) -> None:
    """Return once a person typed the word; BadInput where nobody can be asked, or for another answer.

    `deed` completes "to …"; `with_yes` and `otherwise` are the commands that a person types next. JSON output
    never means consent.
    """
    if not sys.stdin.isatty() or console.as_json:
        raise BadInput(f"to {deed} needs consent, and nobody can be asked here", next_step=with_yes)
    console.line(f"Type {word} to {deed}:")
    if sys.stdin.readline().strip() != word:
        raise BadInput("nothing was changed", next_step=otherwise)


def require_in_production(
    console: Console, environment: Environment, deed: str, command: str, *, yes: bool
) -> None:
    """Return when the change may be made; only production is asked about. `command` is it with consent."""
    if not yes and environment.kind == "production":
        deed = f"{deed} in {environment.name}"
        require(console, environment.name, deed, with_yes=command, otherwise=command)
