"""`python -m src.boot` as a process: its words, its exit codes, and that it shows no secret."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.reference_app.running import BACKEND, Backend
from tests.reference_app.servers import PASSWORD, Postgres, Valkey

pytestmark = pytest.mark.real

RENEW = "./inv vault.setup-tokens --project=finance_report"


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """Give a rendered secrets file with a fresh heartbeat."""
    file = tmp_path / "secrets" / ".env"
    file.parent.mkdir()
    file.write_text(f"KEY={PASSWORD}\n")
    file.with_name(".heartbeat").touch()
    return file


def boot(backend: Backend, mode: str, secrets: Path, **more: str) -> tuple[int, dict[str, str]]:
    """Give the exit code and each row's word, and see that nothing secret was said."""
    environment = {**backend.environment, "INFRA_SECRETS_FILE": str(secrets), **more}
    done = replace(backend, environment=environment).python("-m", "src.boot", "--mode", mode, "--json")
    for words in (PASSWORD, quote(PASSWORD, safe="")):
        assert words not in done.stdout + done.stderr
    said = json.loads(done.stdout)
    assert said["exit_code"] == done.returncode
    return done.returncode, {row["name"]: row["status"] for row in said["rows"]}


MODES = {
    "dry-run": {"settings": "ok"},
    "critical": {"settings": "ok", "postgres": "ok"},
    "full": {
        "settings": "ok",
        "postgres": "ok",
        "redis": "ok",
        "s3": "skipped",
        "ai": "skipped",
        "secrets": "ok",
    },
}


@pytest.mark.parametrize("mode", MODES)
def test_a_stack_that_is_up_is_found_well_in_every_mode(backend: Backend, secrets: Path, mode: str) -> None:
    assert boot(backend, mode, secrets) == (0, MODES[mode])


def test_a_store_that_is_down_is_an_error_where_the_mode_asks_it(
    backend: Backend, postgres: Postgres, valkey: Valkey, secrets: Path
) -> None:
    with postgres.down(signal.SIGQUIT):
        assert boot(backend, "dry-run", secrets)[0] == 0
        assert boot(backend, "critical", secrets) == (1, {"settings": "ok", "postgres": "error"})
    with valkey.down(signal.SIGTERM):
        assert boot(backend, "critical", secrets)[0] == 0
        code, rows = boot(backend, "full", secrets)
    assert (code, rows["postgres"], rows["redis"]) == (1, "ok", "error")


def test_settings_that_cannot_be_loaded_are_exit_2(backend: Backend, secrets: Path) -> None:
    assert boot(backend, "full", secrets, GIT_COMMIT_SHA="") == (2, {"settings": "error"})


def test_a_secrets_file_that_is_missing_is_a_warning_with_the_command(
    backend: Backend, tmp_path: Path
) -> None:
    assert boot(backend, "full", tmp_path / "none")[1]["secrets"] == "warning"
    environment: Mapping[str, Any] = {**backend.environment, "INFRA_SECRETS_FILE": str(tmp_path / "none")}
    done = replace(backend, environment=environment).python("-m", "src.boot")
    assert (done.returncode, done.stdout.splitlines()[-1].strip()) == (0, RENEW)


def test_ctrl_c_is_exit_130_and_ends_at_once(backend: Backend, secrets: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        ai = {"OPENROUTER_API_KEY": "key", "OPENROUTER_URL": address}
        process = subprocess.Popen(
            [sys.executable, "-m", "src.boot"],
            cwd=BACKEND,
            env={**backend.environment, **ai, "INFRA_SECRETS_FILE": str(secrets)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        silent.settimeout(20)
        asked, _ = silent.accept()
        with asked:
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=3)
    assert (process.returncode, errors) == (130, b"")
