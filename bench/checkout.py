"""A copy of this checkout with state of its own, so that measuring disturbs nobody's stack."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("infra", "tasks", "finance_report", "templates", "reference_app", "invoke.yaml")
SETUP = "finance_report.app.setup"


@dataclass(frozen=True, slots=True)
class Start:
    """One start seen from outside: seconds since the command was spawned, and its peak memory."""

    first_200: float
    gate: float
    whole: float
    mib: float


class Checkout:
    """The copy. Its commands run in the interpreter that measures."""

    def __init__(self, folder: Path) -> None:
        self.root, self._folder = folder / "checkout", folder
        self.root.mkdir(parents=True)
        ignored = shutil.ignore_patterns("__pycache__", "misbehave.json")
        for name in PARTS:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, self.root / name, ignore=ignored)
            else:
                shutil.copy(ROOT / name, self.root / name)

    @property
    def environment(self) -> dict[str, str]:
        """The variables of its commands."""
        places = {"XDG_STATE_HOME": "state", "XDG_DATA_HOME": "share", "HOME": "home"}
        own = {name: str(self._folder / place) for name, place in places.items()}
        return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **own}

    def spawn(self, *words: str) -> subprocess.Popen[str]:
        """Start a command of the copy."""
        return subprocess.Popen(
            [sys.executable, "-m", "invoke", *words],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, code: int = 0) -> float:
        """Run a command to its end and give its seconds; SystemExit when it ends with another code."""
        began = time.monotonic()
        child = self.spawn(*words)
        said = child.communicate()[1]
        if child.returncode != code:
            raise SystemExit(f"{' '.join(words)} ended with {child.returncode}\n{said}")
        return time.monotonic() - began

    def start(self) -> Start:
        """Set up, and give when the backend first answered through the router and the gate passed."""
        began = time.monotonic()
        seen: list[float] = []
        child = self.spawn(SETUP)
        watcher = threading.Thread(target=self._first_200, args=(child, seen), daemon=True)
        watcher.start()
        lines = {
            line.split()[1]: time.monotonic() - began for line in child.stderr or () if len(line.split()) > 1
        }
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        watcher.join(5)
        if child.returncode or not seen:
            raise SystemExit(f"setup ended with {child.returncode}")
        return Start(seen[0] - began, lines["gate"], time.monotonic() - began, usage.ru_maxrss / 1024)

    def _first_200(self, child: subprocess.Popen[str], seen: list[float]) -> None:
        while child.poll() is None and not seen:
            try:
                with urllib.request.urlopen(f"{self.url}/api/health", timeout=1):
                    seen.append(time.monotonic())
            except (OSError, StopIteration, ValueError):
                time.sleep(0.005)

    @property
    def url(self) -> str:
        """The address of its router; StopIteration before its ports are chosen."""
        ports = next(self._folder.glob("state/*/*/local/ports.json")).read_text(encoding="utf-8")
        return f"http://127.0.0.1:{json.loads(ports)['router']}"

    def supervisor_mib(self) -> float:
        """Give the memory of its supervisor."""
        import psutil

        place = str(self._folder / "state")
        sizes = [
            one.info["memory_info"].rss
            for one in psutil.process_iter(["cmdline", "memory_info"])
            if any(place in word for word in one.info["cmdline"] or ())
            and "infra.targets.process.supervisor" in one.info["cmdline"]
        ]
        return float(sum(sizes)) / 1024 / 1024
