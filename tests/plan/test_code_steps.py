"""Which command each step of a part is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.model.code_step import Command
from infra.model.settings import Steps
from infra.plan.code_steps import Part, commands

CASES = yaml.safe_load((Path(__file__).parent / "code_steps.yaml").read_text(encoding="utf-8"))


def shown(command: Command) -> Any:
    if command.argv:
        return list(command.argv)
    return {"skipped": command.skipped} if command.skipped else {"fault": command.fault}


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_step_is_what_a_person_wrote_else_what_the_part_is_set_up_for(case: dict[str, Any]) -> None:
    part = Part("part", "apps/part", case.get("is_there", True), frozenset(case.get("has", ())))
    found = commands(part, Steps(**case.get("written", {})), case["steps"])
    assert {one.step: shown(one) for one in found} == case["steps"]
    written = {step for step, argv in case.get("written", {}).items() if argv and part.is_there}
    assert {one.step for one in found if one.is_written} == written
