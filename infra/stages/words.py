"""A plan in people's words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from infra.model.operation import Plan


def summary(plan: Plan) -> str:
    """Give one line on a plan."""
    if plan.is_empty:
        return "nothing to change"
    count = len(plan.operations)
    return f"{count} operation{'s' if count > 1 else ''}, plan {plan.identity}"


def plan_lines(plan: Plan) -> Iterator[str]:
    """Give a line for each operation, and for each need that is left as it is."""
    for step in plan.operations:
        yield f"    {step}"
    for name in plan.left_alone:
        yield f"    {name} has a pending change of its own and is left alone"


def as_facts(plan: Plan) -> list[dict[str, Any]]:
    """Give the operations as plain values, as `--json` prints them."""
    return [
        {
            "kind": step.kind,
            "service": step.service,
            "subject": step.subject,
            "reason": step.reason,
            "certain": step.is_certain,
        }
        for step in plan.operations
    ]
