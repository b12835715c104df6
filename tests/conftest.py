"""What every test says of itself: the programs that it needs, and whether it starts real servers."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.needs import is_about_a_program, require


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the choice of the inner loop."""
    parser.addoption("--quick", action="store_true", help="leave out the tests that start real servers")


def pytest_configure() -> None:
    """End on SIGTERM as on Ctrl+C: what the tests under way have started is ended by them.

    What `nohup` or a shell's `&` has us ignore, what the tests start does not: no handler outlives an exec.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda _number, _frame: None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked `real` where a quick run was asked for."""
    if config.getoption("quick"):
        slow = [item for item in items if item.get_closest_marker("real")]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if not item.get_closest_marker("real")]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Look for the programs before anything is started for the test."""
    for mark in item.iter_markers("needs"):
        for name in mark.args:
            require(name)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """Print what tests told by `record_property("told", line)`; last of all, which programs were missing."""
    yield
    reports = [report for end in ("passed", "failed") for report in terminalreporter.getreports(end)]
    told = [line for report in reports for name, line in report.user_properties if name == "told"]
    if told:
        terminalreporter.section("told by the tests")
    for line in told:
        terminalreporter.write_line(str(line))
    reasons = (
        report.longrepr[2].removeprefix("Skipped: ") for report in terminalreporter.stats.get("skipped", ())
    )
    for reason, count in sorted(Counter(filter(is_about_a_program, reasons)).items()):
        terminalreporter.write_line(f"{count} skipped: {reason}")
