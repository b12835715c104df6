"""A checkout with an application and servers of its own, for tests of test.run and cleanup.dbs."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import pty
import shutil
import subprocess
import sys
import tempfile
import termios
from pathlib import Path
from typing import Any

import psutil
import psycopg

from tests.real.conftest import ROOT, STATES, Checkout, Done
from tests.waiting import until

TESTS = "app/apps/backend/tests"
PREFIX = "finance_report_test"
ASK = """
import asyncio, os, pathlib, subprocess, sys, time
import asyncpg, pytest
HERE = pathlib.Path(__file__).parent

def ask(url, *queries):
    async def go():
        session = await asyncpg.connect(url.replace("+asyncpg", ""))
        try:
            return [await session.fetch(query) for query in queries][-1]
        finally:
            await session.close()
    return asyncio.run(go())
"""
ISOLATED = """
from ask import *

@pytest.mark.parametrize("number", range(4))
def test_starts_from_the_migrations_alone(database_url, number):
    assert ask(database_url, "SELECT count(*) AS n FROM alembic_version")[0]["n"] == 1
    made = ask(database_url, f"CREATE TABLE mine_{number} (n int)", "SELECT current_user AS me")
    assert made[0]["me"] == "finance_report_app"
    assert not ask(database_url, "SELECT rolsuper OR rolcreatedb AS can FROM pg_roles "
                   "WHERE rolname = current_user")[0]["can"]
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    assert database_url.endswith(os.environ["TEST_NAMESPACE"] + (f"_{worker}" if worker else ""))
    assert os.environ["S3_BUCKET"] == "statements-" + os.environ["TEST_NAMESPACE"].replace("_", "-")
    assert os.environ["REDIS_URL"].rpartition("/")[2] != "0"
    assert (os.environ["ENVIRONMENT"], os.environ["TESTING"]) == ("testing", "true")
"""
HANGS = """
from ask import *

def test_hangs_until_it_is_let_go(database_url):
    name = os.environ["TEST_NAMESPACE"]
    ask(database_url, "CREATE TABLE left_behind (n int)")
    driver = subprocess.Popen(["sleep", "600"], start_new_session=True)
    (HERE / f"{name}.there").write_text(str(driver.pid))
    while not (HERE / f"{name}.go").exists():
        time.sleep(0.02)
    assert ask(database_url, "SELECT count(*) AS n FROM left_behind")[0]["n"] == 0
"""


class Stack:
    """A checkout with an application of its own, and its database server seen without the code under test."""

    def __init__(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="checkout-"))
        folder.chmod(0o755)
        STATES.mkdir(exist_ok=True)
        STATES.chmod(0o755)
        self.checkout = Checkout(folder)
        ignored = shutil.ignore_patterns("tests", "__pycache__")
        shutil.copytree(ROOT / "reference_app/apps", folder / "app/apps", ignore=ignored)
        self.tests = folder / TESTS
        self.tests.mkdir()
        self.write(ask=ASK, test_isolated=ISOLATED, test_hangs=HANGS)
        self.checkout.settings("app: {source: ../app}\n")
        self.list = folder / "cache/finance_report/active_namespaces.json"

    def write(self, **files: str) -> None:
        for name, text in files.items():
            (self.tests / f"{name}.py").write_text(text, encoding="utf-8")

    def run(self, branch: str, *words: str, args: str = "-k starts", **more: str) -> Done:
        return self.checkout.run("test.run", "--json", "--args", args, *words, BRANCH_NAME=branch, **more)

    def namespace(self, branch: str) -> str:
        """Give the namespace that a branch has here."""
        done = self.checkout.run("test.names", "--json", BRANCH_NAME=branch)
        return str(done.json["facts"]["namespace"])

    def begin(self, branch: str, *words: str, **more: str) -> subprocess.Popen[str]:
        """Start a run that hangs in its tests until it is let go."""
        (self.tests / f"{branch.replace('-', '_')}.go").unlink(missing_ok=True)
        return self.checkout.popen(
            "test.run", "--json", "--args", "-k hangs", *words, BRANCH_NAME=branch, **more
        )

    def begin_on_terminal(self, branch: str) -> tuple[subprocess.Popen[bytes], int]:
        """Start a run that hangs in its tests on a terminal of its own; closing the number is the hang-up."""
        ours, theirs = pty.openpty()
        child = subprocess.Popen(
            [sys.executable, "-m", "invoke", "test.run", "--workers", "1", "--args", "-k hangs"],
            cwd=self.checkout.root,
            env={**self.checkout.environment, "BRANCH_NAME": branch},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509  # no thread runs here
        )
        os.close(theirs)
        return child, ours

    def until_there(self, namespace: str) -> psutil.Process:
        """Wait for a run to be in its tests; give the browser driver that it started."""
        file = self.tests / f"{namespace}.there"
        until(lambda: file.exists() and file.read_text())
        driver = psutil.Process(int(file.read_text()))
        file.unlink()
        return driver

    def let_go(self, namespace: str) -> None:
        (self.tests / f"{namespace}.go").touch()

    def sql(self, query: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        with psycopg.connect(
            host="127.0.0.1",
            port=self.ports["postgres"],
            user="postgres",
            password=self.secret("POSTGRES_PASSWORD"),
            dbname=database,
            autocommit=True,
        ) as session:
            done = session.execute(query)
            return list(done.fetchall()) if done.description else []

    def secret(self, key: str) -> str:
        store = self.checkout.folder / f"share/finance_report/secrets/{self.checkout_id}/local.json"
        return str(_find(json.loads(store.read_text()), key))

    @property
    def ports(self) -> dict[str, int]:
        ports: dict[str, int] = json.loads((self.state / "ports.json").read_text())
        return ports

    @property
    def state(self) -> Path:
        return STATES / "finance_report" / self.checkout_id / "local"

    @property
    def checkout_id(self) -> str:
        return hashlib.sha256(str((self.checkout.folder / "app").resolve()).encode()).hexdigest()[:8]

    def databases(self) -> set[str]:
        """Give the databases of test runs, those half made included."""
        found = {row[0] for row in self.sql("SELECT datname FROM pg_database")}
        return {name for name in found if name.startswith((PREFIX, "finance_report_making_"))}

    def runners(self) -> list[str]:
        return [one["namespace"] for one in json.loads(self.list.read_text())["runners"]]

    def is_up(self) -> bool:
        place = str(self.state)
        return any(
            "INFRA_UNIT" in variables and variables.get("HOME", "").startswith(place)
            for variables in map(variables_of, psutil.process_iter())
        )

    def remove(self) -> None:
        self.checkout.run("finance_report.down")
        for process in psutil.process_iter():
            variables = variables_of(process)
            if str(self.state) in variables.get("HOME", "") or variables.get("HOME") == str(
                self.checkout.home
            ):
                process.kill()
        shutil.rmtree(STATES / "finance_report" / self.checkout_id, ignore_errors=True)
        self.checkout.remove()


def variables_of(process: psutil.Process) -> dict[str, str]:
    """Give the environment of a living process, nothing for one that ended."""
    try:
        return process.environ()
    except psutil.Error:
        return {}


def _find(value: Any, key: str) -> Any:
    """Give the value of a key, wherever it stands."""
    if isinstance(value, dict):
        if key in value:
            return value[key]
        return next((found for one in value.values() if (found := _find(one, key)) is not None), None)
    if isinstance(value, list):
        return next((found for one in reversed(value) if (found := _find(one, key)) is not None), None)
    return None


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
