"""What pytest's exit codes mean here."""

from __future__ import annotations

from infra.model.errors import BadInput, KnownBad

WRONG_ARGUMENTS = 4


def require_passed(code: int, usage: str, again: str) -> None:
    """Raise unless the tests passed: BadInput for arguments that pytest does not know, else KnownBad.

    `usage` and `again` are what a person types next.
    """
    if code == WRONG_ARGUMENTS:
        raise BadInput(f"pytest does not know these arguments (its exit code {code})", next_step=usage)
    if code:
        raise KnownBad(f"the tests did not pass (pytest exit code {code})", next_step=again)
