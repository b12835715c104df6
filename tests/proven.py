"""Processes of ours, as tests make them: with our marks, and with a proof or without one."""

from __future__ import annotations

from infra.model.secret import Secret
from infra.targets.process.bearers import Marks
from infra.targets.process.proof import Handed, Key

KEY = Handed(Secret("5" * 64))


def marks_of(checkout: str, environment: str = "local", key: Key = KEY) -> Marks:
    """Give the marks of an environment whose key only this test has."""
    return Marks(checkout, environment, key)


def variables_of(marks: Marks, unit: str = "") -> dict[str, str]:
    """Give what a process of ours has in its environment: marks and proof of a unit, or of a supervisor."""
    named = {"INFRA_UNIT": unit} if unit else {}
    own = {"INFRA_CHECKOUT": marks.checkout, "INFRA_ENV": marks.environment}
    return {**own, **named, **marks.proven(unit)}
