"""A person's leave for what cannot be undone."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from infra.model.errors import BadInput

if TYPE_CHECKING:
    from infra.invocation import Command


def require(this: Command, deed: str, *, yes: bool, with_yes: str, otherwise: str) -> None:
    """Return once a person typed yes, or `yes` says so; BadInput where nobody can be asked, or for a no.

    `with_yes` and `otherwise` are the commands that a person types next.
    """
    if yes:
        return
    if not sys.stdin.isatty() or this.console.as_json:
        raise BadInput(f"to {deed} needs consent, and nobody can be asked here", next_step=with_yes)
    this.console.line(f"Type yes to {deed} for good:")
    if sys.stdin.readline().strip() != "yes":
        raise BadInput("nothing was removed", next_step=otherwise)
