"""The pytest plug-in of application test suites: each xdist worker gets a database of its own.

`./inv test.run` loads it with `-p finance_report.pytest_plugin`; a conftest may name it in `pytest_plugins`,
too. It runs in the application's process and needs nothing but the standard library: databases are made by
the run that started the tests, from a migrated template, and only when all safety layers hold.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections import Counter, defaultdict
from contextlib import suppress
from io import BufferedRWPair
from typing import Any

import pytest

from infra.model.naming import Names
from infra.model.safety import Aim, faults

DOOR = "INFRA_TEST_DOOR"
ENVIRONMENT = "INFRA_TEST_ENV"
NAMES = Names("finance_report")
SLOWEST = 10
ANSWERS_WITHIN = 60.0
STARTS_WITHIN = 120.0


class Report:
    """What the run tells at its end: how many tests ended how, and the slowest ones."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = defaultdict(float)
        self._outcomes: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a phase of a test."""
        self._seconds[report.nodeid] += report.duration
        if report.when == "call" or report.outcome != "passed":
            is_error = report.when != "call" and report.outcome == "failed"
            self._outcomes[report.nodeid] = "error" if is_error else report.outcome

    def pytest_sessionfinish(self) -> None:
        """Hand the report to the run."""
        slowest = sorted(self._seconds.items(), key=lambda pair: -pair[1])[:SLOWEST]
        rows = [[name, round(seconds, 3)] for name, seconds in slowest]
        with suppress(OSError, ValueError):
            _ask("report", report={"tests": Counter(self._outcomes.values()), "slowest": rows})


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Point a worker at its database before the application is imported anywhere."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker and DOOR in os.environ:
        os.environ["DATABASE_URL"] = _ask("database", worker=worker)["url"]


def pytest_configure(config: pytest.Config) -> None:
    """Name the markers, and tie the suite to the run that started it."""
    config.addinivalue_line("markers", "slow: takes long; left out by --fast")
    config.addinivalue_line("markers", "s3: needs a bucket; the run starts the object store for it")
    config.addinivalue_line("markers", "e2e: needs a browser; left out by --fast")
    if DOOR in os.environ and "PYTEST_XDIST_WORKER" not in os.environ:
        threading.Thread(target=_end_with_the_run, daemon=True).start()
        config.pluginmanager.register(Report(), "finance_report-report")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Ask the run for a bucket as soon as a test that is going to run needs one."""
    is_needed = any(item.get_closest_marker("s3") for item in session.items)
    if is_needed and DOOR in os.environ and not session.config.option.collectonly:
        os.environ.update(_ask("object_store", ANSWERS_WITHIN + STARTS_WITHIN)["variables"])


@pytest.fixture(scope="session")
def database_url() -> str:
    """Give the address of this worker's own migrated database; fails where it is not exactly ours."""
    namespace = os.environ.get("TEST_NAMESPACE")
    if namespace is None:
        pytest.fail(
            "these tests have no database of their own: start them with ./inv test.run", pytrace=False
        )
    url = os.environ.get("DATABASE_URL", "")
    aim = Aim(os.environ.get(ENVIRONMENT, ""), os.environ, url, NAMES, namespace or None)
    said = list(faults(aim))
    if said:
        pytest.fail(f"this is no test database of ours: {'; '.join(said)}", pytrace=False)
    return url


@pytest.fixture(scope="session")
def test_namespace() -> str:
    """Give the namespace that keeps this run apart from all others; empty in the forge's CI."""
    return os.environ.get("TEST_NAMESPACE", "")


def _ask(what: str, within: float = ANSWERS_WITHIN, **arguments: Any) -> dict[str, Any]:
    with _open(what, within, **arguments) as stream:
        answer: dict[str, Any] = json.loads(stream.readline() or b'{"error": "the run is gone"}')
    if "error" in answer:
        words = what.replace("_", " ")
        raise pytest.UsageError(f"the run gave no {words}: {answer['error']}")
    return answer


def _open(what: str, timeout: float | None, **arguments: Any) -> BufferedRWPair:
    port, _, token = os.environ[DOOR].partition(":")
    with socket.create_connection(("127.0.0.1", int(port)), timeout) as peer:
        stream = peer.makefile("rwb")
    stream.write(json.dumps({"do": what, "token": token, **arguments}).encode() + b"\n")
    stream.flush()
    return stream


def _end_with_the_run() -> None:
    """End this process group once the run that started it is gone: nobody else would clean up after it."""
    with suppress(OSError), _open("watch", None) as stream:
        stream.read()
    os.killpg(os.getpgrp(), signal.SIGKILL)
