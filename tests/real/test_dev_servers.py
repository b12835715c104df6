"""Development servers in the place of deployed units: served at once, ended alone, cleaned up when killed."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import subprocess
import sys
import termios
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import psutil
import pytest

from tests.real.conftest import Checkout, kill
from tests.waiting import until

pytestmark = pytest.mark.real
STORES = {"postgres", "redis", "router", "minio"}
HEALTH = "reference_app/apps/backend/src/health.py"


class Window:
    """A command in a window of its own, with all that it prints in a file."""

    def __init__(self, checkout: Checkout, *words: str, **more: Any) -> None:
        self.log = checkout.folder / f"{'-'.join(words)}-{time.monotonic_ns()}.log"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "invoke", *words],
                cwd=checkout.root,
                env=checkout.environment,
                **{"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output, **more},
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.kill()
        if kind:
            print(f"{self.log.name}\n{self.said}")

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        if self.process.poll() is None:
            kill(self.process)

    def ends(self, *numbers: signal.Signals) -> int:
        """Give the exit code after these signals."""
        for number in numbers:
            self.process.send_signal(number)
        return self.process.wait(30)


def is_development(checkout: Checkout, unit: str) -> bool:
    """Tell whether the unit that runs is a development server that answers."""
    is_served = checkout.get("/api/ping" if unit == "backend" else "/")[0] == 200
    return is_served and [bundle for bundle, _ in seen(checkout, unit)] == ["development"]


def seen(checkout: Checkout, unit: str) -> list[tuple[str, int]]:
    """Give bundle and parent of each process that runs as a unit."""
    try:
        found = checkout.processes().get(unit, [])
        return [(one.environ().get("INFRA_BUNDLE", ""), one.ppid()) for one in found]
    except psutil.Error:
        return []


def edit(checkout: Checkout, word: str, instead: str = "", at: float = 0.0) -> None:
    """Save the backend with another word in the answer of /health, at a moment of the file system's clock."""
    file = checkout.root / HEALTH
    text = file.read_text(encoding="utf-8")
    old, new = (instead, word) if instead else ('"git_sha":', f'"{word}": True, "git_sha":')
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    if at:
        os.utime(file, (at, at))


@pytest.fixture
def stranger() -> Iterator[psutil.Process]:
    """A process with the very words of our backend, started by somebody else."""
    words = "import time; time.sleep(600)"
    line = ["-m", "uvicorn", "--reload", "src.main:app"]
    child = subprocess.Popen([sys.executable, "-c", words, *line])
    yield psutil.Process(child.pid)
    child.kill()
    child.wait()


def test_two_that_start_at_once_on_an_empty_machine_bring_up_the_stack_and_serve_what_is_saved(
    checkout: Checkout, stranger: psutil.Process
) -> None:
    windows = Window(checkout, "dev.backend"), Window(checkout, "dev.frontend")
    with windows[0] as backend, windows[1] as frontend:
        until(lambda: is_development(checkout, "backend"))
        until(lambda: is_development(checkout, "frontend"))
        assert set(checkout.pids()) == {*STORES, "backend", "frontend"}
        assert checkout.get("/api/health?full=1")[0] == 200, "the secrets are those of the unit"
        edit(checkout, "reloaded")
        until(lambda: checkout.health.get("reloaded"))
        second = int(time.time()) + 1.0  # later than the save before: an older file is not loaded anew
        edit(checkout, "quick_1", "reloaded", second + 0.2)
        until(lambda: checkout.health.get("quick_1"))
        edit(checkout, "quick_2", "quick_1", second + 0.8)
        until(lambda: checkout.health.get("quick_2"))
        edit(checkout, "reloaded", "quick_2", second + 1.2)
        until(lambda: checkout.health.get("reloaded"))
        again = checkout.run("dev.backend")
        assert (again.code, "runs already" in again.err) == (1, True)
        page = checkout.root / "reference_app/apps/frontend/pages/overview.html"
        page.write_text(page.read_text(encoding="utf-8") + "<p>saved just now</p>", encoding="utf-8")
        until(lambda: "saved just now" in checkout.get("/")[1], 5)
        before = checkout.pids()
        assert backend.ends(signal.SIGINT) == 130
        assert "finance_report.app.setup" in backend.said
        assert checkout.pids() == {name: pid for name, pid in before.items() if name != "backend"}
        checkout.setup()
        assert (frontend.ends(), is_development(checkout, "frontend")) == (1, False)
    assert checkout.health["reloaded"]
    assert {*STORES, "backend", "frontend"} == set(checkout.pids())
    assert stranger.is_running()


def test_down_stops_what_was_started_for_development_and_data_stays(
    checkout: Checkout, stranger: psutil.Process
) -> None:
    assert checkout.run("dev.infra").code == 0
    assert set(checkout.pids()) == STORES
    shell = ["finance_report.postgres.shell"]
    assert checkout.run(*shell, stdin="CREATE TABLE kept AS SELECT 42 AS answer;\n").code == 0
    with Window(checkout, "dev.backend") as backend:
        until(lambda: is_development(checkout, "backend"))
        backend.kill()
        assert is_development(checkout, "backend"), "a killed command leaves its server"
        with Window(checkout, "dev.backend") as second:
            attended = [("development", second.process.pid)]
            until(lambda: seen(checkout, "backend") == attended)
            until(lambda: is_development(checkout, "backend"))
            checkout.pids()
            second.kill()
    down = checkout.run("dev.down", "--json").json
    assert (down["outcome"], checkout.processes(), checkout.supervisors()) == ("stopped", {}, [])
    assert checkout.run("dev.down", "--json").json["outcome"] == "nothing to do"
    checkout.setup()
    assert "42" in checkout.run(*shell, stdin="SELECT answer FROM kept;\n").out
    stayed = checkout.run("dev.down")
    assert (stayed.code, "all units stay" in stayed.err) == (0, True)
    assert set(checkout.pids()) == {*STORES, "backend", "frontend"}
    assert stranger.is_running()


def test_without_infrastructure_only_the_application_runs_with_mock_providers(checkout: Checkout) -> None:
    with Window(checkout, "dev.backend", "--target", "none") as window:
        until(lambda: "backend" in checkout.processes())
        port = checkout.ports["backend"]
        until(lambda: answers(port))
        assert set(checkout.pids()) == {"backend"}
        assert "DATABASE_URL" not in checkout.processes()["backend"][0].environ()
        assert window.ends(signal.SIGTERM) == 143
    assert checkout.processes() == {}
    check = checkout.run("boot.check", "--target", "none", "--json").json
    assert {row["status"] for row in check["facts"]["rows"]} == {"ok", "skipped"}


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health?full=1", timeout=5) as answer:
            return b'"mock"' in answer.read()
    except OSError:
        return False


def test_a_terminal_that_goes_away_takes_its_server_along_and_nothing_else(checkout: Checkout) -> None:
    checkout.setup()
    before = checkout.pids()
    leader, follower = os.openpty()
    terminal = {"stdin": follower, "stdout": follower, "stderr": follower, "preexec_fn": take_terminal}
    with Window(checkout, "dev.backend", **terminal) as window:
        os.close(follower)
        with drained(leader):
            until(lambda: is_development(checkout, "backend"))
        os.close(leader)
        assert window.ends() == 129
    after = checkout.pids()
    assert after == {name: pid for name, pid in before.items() if name != "backend"}


def take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@contextmanager
def drained(leader: int) -> Iterator[None]:
    """Read what is written to a terminal, so that nobody waits; at the end nobody holds it open."""
    over = threading.Event()

    def read() -> None:
        with suppress(OSError):  # the other side may be closed already
            while not over.is_set():
                if select.select([leader], [], [], 0.05)[0]:
                    os.read(leader, 65_536)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield
    finally:
        over.set()
        reader.join(5)


def test_a_checkout_without_the_part_is_told_so_before_anything_starts(
    checkout: Checkout, tmp_path: Path
) -> None:
    (tmp_path / "apps/backend").mkdir(parents=True)
    checkout.settings(f"app: {{source: {tmp_path}}}\n")
    done = checkout.run("dev.frontend")
    assert (done.code, "no such folder" in done.err) == (2, True)
    assert checkout.processes() == {}
