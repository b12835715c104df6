"""The consent that a change in production needs: `--yes`, or the environment's name typed by a person."""

from __future__ import annotations

import sys

from infra.console import Console
from infra.model.environment import Environment
from infra.model.errors import BadInput


def require_consent(
    console: Console, environment: Environment, what: str, command: str, *, yes: bool
) -> None:
    """Return when the change may be made; BadInput where nobody agreed. Only production is asked about.

    `what` completes "to …", `command` is what to type with consent. JSON output never means consent.
    """
    if yes or environment.kind != "production":
        return
    if not sys.stdin.isatty() or console.as_json:
        raise BadInput(f"{environment.name} needs consent, and nobody can be asked here", next_step=command)
    console.line(f"Type {environment.name} to {what}:")
    if sys.stdin.readline().strip() != environment.name:
        raise BadInput("nothing was changed", next_step=command)
