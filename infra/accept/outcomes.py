"""A pytest plug-in: runs only the tests that a file names, and writes down how each of them ended.

`pytest -p infra.accept.outcomes --only FILE --outcomes FILE`; both files hold a line of text or JSON a test.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

STACK = ("APP", "PG", "RD")
HALF = 150


def pytest_addoption(parser: Any) -> None:
    """Add the two options."""
    parser.addoption("--only", help="a file with a node id in each line")
    parser.addoption("--outcomes", help="the file that is written")


def pytest_configure(config: Any) -> None:
    """Write the outcomes in one process alone, the one that hears from all."""
    if config.option.outcomes and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Outcomes(Path(config.option.outcomes)))


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """Leave the tests that are wanted."""
    if config.option.only:
        wanted = set(Path(config.option.only).read_text(encoding="utf-8").split("\n"))
        items[:] = [item for item in items if _names(item.nodeid) & wanted]
    for item in items:
        item.user_properties.append(("real", _components(item)))


def _components(item: Any) -> list[str]:
    """Give what a test really starts: the words of its mark `real`, without words the stack."""
    marks = [mark.args or STACK for mark in item.iter_markers("real")]
    return sorted({name for names in marks for name in names})


def _names(node: str) -> set[str]:
    """Give all names under which a test may be asked for: its own, without its case, of its class."""
    plain = node.partition("[")[0]
    return {node, plain, plain.rpartition("::")[0]}


class Outcomes:
    """Writes one JSON line for each stage of each test."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Write how a stage ended; a stage that passed counts when it is the test itself."""
        if report.when == "call" or report.outcome != "passed":
            line = {"test": report.nodeid, "outcome": report.outcome, "said": _said(report)}
            line["real"] = dict(report.user_properties).get("real", [])
            with self._file.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(line) + "\n")


def _said(report: Any) -> str:
    """Give why a stage did not pass, in a line."""
    found = report.longrepr
    crash = getattr(found, "reprcrash", None)
    said = crash.message if crash else found[-1] if isinstance(found, tuple) else found or ""
    words = " ".join(str(said).split())
    return words if len(words) <= 2 * HALF else f"{words[:HALF]} … {words[-HALF:]}"
