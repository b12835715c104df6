"""What the tests say at the end of a run."""

from __future__ import annotations

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the lines that tests told of what they did, by `record_property("told", line)`."""
    reports = [report for end in ("passed", "failed") for report in terminalreporter.getreports(end)]
    told = [line for report in reports for name, line in report.user_properties if name == "told"]
    if told:
        terminalreporter.section("told by the tests")
    for line in told:
        terminalreporter.line(str(line))
