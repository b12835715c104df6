"""How next steps name the environment that they are about."""

from pathlib import Path

import pytest

import finance_report
from infra.choices import command_line
from infra.console import Console
from infra.invocation import Command
from infra.model.environments import environment
from infra.model.redaction import Redactor
from infra.model.settings import Settings
from infra.model.verdict import Outcome

CASES = {
    ("local", "process", ""): ("", "--env local"),
    ("local", "process", "staging"): (" --env local", "--env local"),
    ("staging", "process", ""): (" --env staging --target process", "--env staging --target process"),
    ("staging", "process", "staging"): (" --env staging --target process", "--env staging --target process"),
    ("staging", "dokploy", ""): (" --env staging", "--env staging"),
    ("staging", "dokploy", "staging"): ("", "--env staging"),
    ("pr-47", "process", ""): (" --env pr_47 --target process", "--env pr_47 --target process"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_next_step_chooses_what_it_is_about_whatever_is_meant_without(case: tuple[str, str, str]) -> None:
    name, target, deploy_env = case
    redactor, outcome = Redactor(), Outcome("check", "")
    this = Command(outcome, Console(redactor), redactor, Path(), {"DEPLOY_ENV": deploy_env})
    found = command_line(this, finance_report.PROJECT, environment(name), Settings(), target)
    assert (found.say("app.logs"), found.choice) == (
        f"./inv finance_report.app.logs{CASES[case][0]}",
        CASES[case][1],
    )
