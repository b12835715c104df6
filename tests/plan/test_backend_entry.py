"""The backend's entry point in every shell: who gets the secrets, and what ends the start."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from infra.model import dotenv
from infra.workspace import templates
from tests.shells import SHELLS, each
from tests.waiting import until

TEMPLATES = templates.load(Path(__file__).parents[2])
SECRETS = {
    "DATABASE_URL": "postgresql://role:pass'word@host/db",
    "OPENROUTER_API_KEY": "$HOME `id`\nsecond line",
}
PART = """
import json, os, pathlib, sys, time
folder = pathlib.Path(os.environ["APP_DIR"])
mode = sys.argv[1]
note = {"pid": os.getpid(), "argv": sys.argv, "environment": dict(os.environ)}
(folder / f"{mode}.new").write_text(json.dumps(note))
(folder / f"{mode}.new").rename(folder / f"{mode}.json")
if mode == "migrate":
    sys.exit(int(os.environ["MIGRATION_ENDS_WITH"]))
time.sleep(60)
"""


@pytest.fixture(params=each(*SHELLS))
def shell(request: pytest.FixtureRequest) -> list[str]:
    return SHELLS[request.param]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Give a list for what a test starts; all of it is ended afterwards, the watcher as well."""
    running: list[subprocess.Popen[bytes]] = []
    yield running
    for one in running:
        if one.poll() is None:
            os.kill(one.pid, signal.SIGKILL)
        one.wait(10)
    for note in tmp_path.glob("watch.json"):
        psutil.Process(json.loads(note.read_text(encoding="utf-8"))["pid"]).kill()


def start(shell: list[str], folder: Path, migration_ends_with: int = 0) -> subprocess.Popen[bytes]:
    """Start the entry point with parts that note what they were given."""
    script, part = folder / "entrypoint.sh", folder / "part.py"
    part.write_text(PART, encoding="utf-8")
    keys = {"required_keys": ["DATABASE_URL"], "secrets_limit": 5, "poll_seconds": 0.05}
    script.write_text(TEMPLATES.render("entrypoint/backend.sh.j2", **keys), encoding="utf-8")
    (folder / ".env").write_text(dotenv.encode(SECRETS), encoding="utf-8", newline="")
    variables = {
        "PATH": os.environ["PATH"],
        "APP_DIR": str(folder),
        "INFRA_SECRETS_FILE": str(folder / ".env"),
        "INFRA_DEPLOY": "deploy-1",
        "INFRA_UNIT": "backend",
        "INFRA_PYTHON": sys.executable,
        "INFRA_BOOT": str(part),
        "MIGRATION_ENDS_WITH": str(migration_ends_with),
    }
    argv = [*shell, str(script), sys.executable, str(part), "serve"]
    return subprocess.Popen(argv, env=variables, stdout=subprocess.DEVNULL)


def noted(folder: Path, mode: str) -> dict[str, str]:
    """Give the environment that the kernel shows of a part, once it runs."""
    note = folder / f"{mode}.json"
    until(note.exists)
    pid = json.loads(note.read_text(encoding="utf-8"))["pid"]
    pairs = Path(f"/proc/{pid}/environ").read_bytes().decode().rstrip("\0").split("\0")
    return dict(pair.split("=", 1) for pair in pairs)


def test_the_backend_and_its_migration_hold_the_secrets_and_the_watcher_none(
    shell: list[str], tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    started.append(start(shell, tmp_path))
    watcher, server = noted(tmp_path, "watch"), noted(tmp_path, "serve")
    migration = json.loads((tmp_path / "migrate.json").read_text(encoding="utf-8"))["environment"]
    assert {key: server.get(key) for key in SECRETS} == SECRETS
    assert {key: migration.get(key) for key in SECRETS} == SECRETS
    assert watcher.keys() & SECRETS.keys() == set()
    assert not any(value in " ".join(watcher.values()) for value in SECRETS.values())
    assert (watcher["INFRA_UNIT"], server["INFRA_UNIT"]) == ("backend.watcher", "backend")


def test_the_watcher_is_told_which_process_serves_and_when_the_secrets_were_read(
    shell: list[str], tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    started.append(start(shell, tmp_path))
    watcher = noted(tmp_path, "watch")
    argv = json.loads((tmp_path / "watch.json").read_text(encoding="utf-8"))["argv"]
    assert argv[1:] == ["watch", str(started[0].pid)]
    uptime = float(Path("/proc/uptime").read_text(encoding="utf-8").split()[0])
    assert int(watcher["INFRA_STARTED"]) <= int(watcher["INFRA_SECRETS_READ"]) <= uptime * 100
    assert uptime - int(watcher["INFRA_SECRETS_READ"]) / 100 < 20


def test_a_migration_that_fails_ends_the_start_and_nothing_comes_after_it(
    shell: list[str], tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    started.append(start(shell, tmp_path, migration_ends_with=3))
    assert started[0].wait(20) == 3
    assert {path.name for path in tmp_path.glob("*.json")} == {"migrate.json"}
