"""A checkout of its own for each test: a copy of this tree, its own state, its own ports, real servers."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from finance_report import PROJECT
from infra.model.naming import Names
from infra.targets.process import accounts
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("infra", "tasks", "finance_report", "templates", "reference_app", "invoke.yaml")
MISBEHAVE = "reference_app/apps/backend/misbehave.json"
ENDS_WITHIN = 240
STATES = Path(tempfile.gettempdir()) / f"states-{os.getuid()}"  # of all runs: they share the ports


@dataclass
class Done:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.out)
        return value


@pytest.fixture(scope="session", autouse=True)
def accounts_of_servers() -> None:
    """Make what the first plan of root lists on a bare machine: no test hangs on which one comes first."""
    for service in PROJECT.services if os.getuid() == 0 else ():
        if not service.from_source:
            accounts.make(Names(PROJECT.name).account(service.name))


class Checkout:
    """A copy of this repository in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "checkout"
        self.home = folder / "home"
        self.root.mkdir()
        self.home.mkdir()
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
        for name in PARTS:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, self.root / name, ignore=ignored)
            else:
                shutil.copy(source, self.root / name)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(self.home),
            "XDG_STATE_HOME": str(STATES),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "XDG_DATA_HOME": str(self.folder / "share"),
            "XDG_RUNTIME_DIR": str(self.folder / "nowhere"),
        }

    def popen(self, *words: str, **more: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "invoke", *words],
            cwd=self.root,
            env={**self.environment, **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *words: str, stdin: str = "", **more: str) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "invoke", *words],
            cwd=self.root,
            env={**self.environment, **more},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=ENDS_WITHIN,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def setup(self, *words: str) -> Done:
        """Set the application up; a failure shows what it printed."""
        done = self.run("finance_report.app.setup", *words)
        assert done.code == 0, done.err
        return done

    def settings(self, text: str) -> None:
        (self.root / "invoke.local.yaml").write_text(text, encoding="utf-8")

    def behaves(self) -> None:
        """Take settings and misbehaviour back; the next setup brings what runs to it."""
        self.settings("{}\n")
        (self.root / MISBEHAVE).unlink(missing_ok=True)

    def misbehave(self, **how: Any) -> None:
        """Make the next release misbehave; without arguments it behaves again."""
        file = self.root / MISBEHAVE
        if how:
            file.write_text(json.dumps(how), encoding="utf-8")
        else:
            file.unlink()

    @property
    def state(self) -> Path:
        """The state folder of the environment local."""
        return self.home_of_state / "local"

    @property
    def home_of_state(self) -> Path:
        """The state folder of this checkout; all checkouts of a test run are neighbours."""
        identity = hashlib.sha256(str(self.root.resolve()).encode()).hexdigest()[:8]
        return STATES / "finance_report" / identity

    @property
    def memory(self) -> Path:
        """The folder of rendered files, where the machine keeps them in memory."""
        return Path(f"/dev/shm/finance_report-{os.getuid()}") / self.home_of_state.name

    @property
    def ports(self) -> dict[str, int]:
        ports: dict[str, int] = json.loads((self.state / "ports.json").read_text(encoding="utf-8"))
        return ports

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['router']}"

    def get(self, path: str) -> tuple[int, str]:
        """Give status and body of a page, 0 and nothing when nobody answers."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    @property
    def health(self) -> dict[str, Any]:
        health: dict[str, Any] = json.loads(self.get("/api/health")[1] or "{}")
        return health

    def processes(self) -> dict[str, list[psutil.Process]]:
        """Give the main processes of each unit, found without the code under test."""
        found: dict[str, list[psutil.Process]] = {}
        for process in psutil.process_iter():
            mine = self._unit(process)
            if mine and self._unit(_parent(process)) != mine:
                found.setdefault(mine, []).append(process)
        return found

    def _unit(self, process: psutil.Process | None) -> str:
        try:
            if process is None or process.status() == psutil.STATUS_ZOMBIE:
                return ""
            variables = process.environ()
        except psutil.Error:
            return ""
        is_mine = variables.get("HOME", "").startswith(str(self.home_of_state))
        return variables.get("INFRA_UNIT", "") if is_mine else ""

    def pids(self) -> dict[str, int]:
        """Give the pid of each unit; fails when one runs twice."""
        found = self.processes()
        doubled = {name: [p.pid for p in many] for name, many in found.items() if len(many) > 1}
        assert not doubled
        return {name: many[0].pid for name, many in found.items() if not name.endswith(".watcher")}

    def supervisors(self) -> list[psutil.Process]:
        """Give the supervisors of this checkout."""
        place = str(self.home_of_state)
        return [p for p in psutil.process_iter() if _is_supervisor(p) and place in " ".join(p.cmdline())]

    def remove(self) -> None:
        """End every process of this checkout and remove its folder."""
        until(lambda: not self._killed())
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.home_of_state, ignore_errors=True)
        shutil.rmtree(self.memory, ignore_errors=True)

    def _killed(self) -> list[psutil.Process]:
        """Kill what is seen of this checkout; what one of them leaves behind is seen the next time."""
        found = [*self.supervisors(), *(one for many in self.processes().values() for one in many)]
        for process in found:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        return found


def _parent(process: psutil.Process) -> psutil.Process | None:
    try:
        return process.parent()
    except psutil.Error:
        return None


def _is_supervisor(process: psutil.Process) -> bool:
    try:
        return "infra.targets.process.supervisor" in process.cmdline() and process.is_running()
    except psutil.Error:
        return False


@contextmanager
def checkouts() -> Iterator[Callable[[], Checkout]]:
    """Give what makes checkouts; all of them end with the block."""
    made: list[Checkout] = []

    def make() -> Checkout:
        folder = Path(tempfile.mkdtemp(prefix="checkout-"))
        folder.chmod(0o755)
        STATES.mkdir(exist_ok=True)
        STATES.chmod(0o755)
        made.append(Checkout(folder))
        return made[-1]

    try:
        yield make
    finally:
        for checkout in made:
            checkout.remove()


@pytest.fixture
def make_checkout() -> Iterator[Callable[[], Checkout]]:
    with checkouts() as make:
        yield make


@pytest.fixture(scope="module")
def shared_checkout() -> Iterator[Checkout]:
    """One for all tests of a file that begin with a setup, which mends in a second what another left."""
    with checkouts() as make:
        yield make()


@pytest.fixture
def checkout(make_checkout: Callable[[], Checkout]) -> Checkout:
    return make_checkout()


def kill(process: psutil.Process | subprocess.Popen[str]) -> None:
    """Kill a process that the test started, and wait until it is gone."""
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
