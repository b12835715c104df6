"""Only what the words of a command line name is loaded; listings and unknown words get everything."""

from __future__ import annotations

import pytest

import tasks

ALL = set(tasks.MEMBERS)


def loaded(*words: str) -> set[str]:
    found = tasks._asked(words)
    return {*found.collections, *found.tasks}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["finance_report.app.setup"], {"finance_report"}),
        (["vault.status", "--env", "staging", "smoke"], {"vault", "smoke"}),
        (["doctor"], {"doctor"}),
        (["test"], {"test"}),
        ([], ALL),
        (["nosuch"], ALL),
        (["--list"], ALL),
        (["smoke", "--help"], ALL),
        (["--complete", "--", "inv", "smoke"], ALL),
    ],
)
def test_a_command_line_loads_the_members_that_it_names(words: list[str], expected: set[str]) -> None:
    assert loaded(*words) == expected
