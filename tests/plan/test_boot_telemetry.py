"""Checkpoints as records: each one that was reached arrives, and no receiver delays or fails a start."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE

import pytest

from infra.model.checkpoint import checkpoints_of
from infra.verify.loopback import Reply, hanging, refusing, serving
from tests.doubles.otlp_receiver import Receiver, receiving

BOOT = Path(__file__).parents[2] / "templates/entrypoint/boot.py"
PASSWORD = "p@ss/wor d-0123456789"
SECRETS = {
    "DATABASE_URL": "postgresql+asyncpg://role:p%40ss%2Fwor%20d-0123456789@127.0.0.1:1/db",
    "OPENROUTER_API_KEY": "sk-or-v1-0123456789",
    "S3_BUCKET": "statements",
    "PASSED_ON": PASSWORD,
}
ASYNCPG = """
import os
class InvalidPasswordError(Exception): ...
class InvalidAuthorizationSpecificationError(Exception): ...
class CannotConnectNowError(Exception): ...
class TooManyConnectionsError(Exception): ...
async def connect(url, timeout):
    raise {error}
"""
TALKATIVE = "RuntimeError(' '.join(os.environ[key] for key in %r.split()))"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture
def backend() -> Iterator[str]:
    """Give the port of a backend that is healthy."""
    with serving(lambda _method, _path, _headers: Reply(200)) as base:
        yield base.rpartition(":")[2]


def variables(endpoint: str, **more: str) -> dict[str, str]:
    """Give the environment of a start that began 3 s ago and read its secrets 2 s ago."""
    now = int(float(Path("/proc/uptime").read_text(encoding="utf-8").split()[0]) * 100)
    reporting = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_SERVICE_NAME": "finance-report-backend",
        "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=pr-47,service.version=v1%2B2,infra.deploy=d-1",
    }
    return {
        "PATH": os.environ["PATH"],
        "INFRA_STARTED": str(now - 300),
        "INFRA_SECRETS_READ": str(now - 200),
        "INFRA_DEPLOY": "deploy-1",
        "INFRA_ENV": "pr_47",
        "INFRA_POLL_SECONDS": "0.02",
        "INFRA_RETRY_SECONDS": "0",
        **(reporting if endpoint else {}),
        **more,
    }


def watch(endpoint: str, port: str, pid: int, **more: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-I", "-S", str(BOOT), "watch", str(pid)]
    made = variables(endpoint, PORT=port, **more)
    return subprocess.run(argv, env=made, capture_output=True, text=True, timeout=20, check=False)


def migrate(endpoint: str, folder: Path, error: str) -> tuple[subprocess.CompletedProcess[str], float]:
    """Give the end of a migration whose database driver raises this error, and the seconds that it took."""
    (folder / "asyncpg.py").write_text(ASYNCPG.format(error=error), encoding="utf-8")
    made = variables(endpoint, PYTHONPATH=str(folder), **SECRETS)
    argv, began = [sys.executable, str(BOOT), "migrate"], time.monotonic()
    done = subprocess.run(argv, env=made, capture_output=True, text=True, timeout=20, check=False)
    return done, time.monotonic() - began


def test_a_start_that_succeeds_tells_all_three_checkpoints_with_their_times(
    receiver: Receiver, backend: str
) -> None:
    done = watch(receiver.url, backend, os.getpid())
    assert (done.returncode, done.stderr) == (0, "")
    assert receiver.faults == []
    assert receiver.checkpoints == [(1, "ok", ""), (2, "ok", ""), (3, "ok", "")]
    first, second, third = sorted(receiver.records, key=lambda one: one.at)
    assert {one.resource["service.name"] for one in receiver.records} == {"finance-report-backend"}
    assert third.resource == {
        "deployment.environment": "pr-47",
        "service.version": "v1+2",
        "infra.deploy": "d-1",
        "service.name": "finance-report-backend",
    }
    assert 2 <= second.at - first.at < 3
    assert abs(time.time() - third.at) < 10
    assert third.message == "First local 200 of /health"
    assert {one.severity for one in receiver.records} == {9}
    assert [one.number for one in checkpoints_of(done.stdout.splitlines(), "deploy-1")] == [3]


def test_a_server_that_ended_is_told_with_the_reason(receiver: Receiver) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait(10)
    with refusing() as base:
        watch(receiver.url, base.rpartition(":")[2], gone.pid)
    assert receiver.checkpoints == [(1, "ok", ""), (2, "ok", ""), (3, "fail", "exited")]
    assert max(receiver.records, key=lambda one: one.at).severity == 17


def test_a_server_that_never_answers_is_told_with_the_reason(receiver: Receiver) -> None:
    with refusing() as base:
        watch(receiver.url, base.rpartition(":")[2], os.getpid(), INFRA_SERVER_SECONDS="0.2")
    assert receiver.checkpoints[-1] == (3, "fail", "health_timeout")


def test_nothing_is_sent_where_there_is_no_receiver(backend: str, tmp_path: Path) -> None:
    done = watch("", backend, os.getpid())
    assert (done.returncode, done.stderr) == (0, "")
    failed, seconds = migrate("", tmp_path, "OSError('refused')")
    assert (failed.returncode, failed.stderr) == (1, "")
    assert seconds < 5


def test_a_receiver_that_hangs_or_is_gone_holds_no_checkpoint_back(backend: str) -> None:
    for receiver in (hanging, refusing):
        with receiver() as base:
            argv = [sys.executable, "-I", "-S", str(BOOT), "watch", str(os.getpid())]
            made, began = variables(base, PORT=backend), time.monotonic()
            with subprocess.Popen(argv, env=made, stdout=PIPE, stderr=PIPE, text=True) as watcher:
                assert watcher.stdout
                assert "state=ok name=server" in watcher.stdout.readline()
                assert time.monotonic() - began < 1.5
                assert (watcher.wait(10), watcher.communicate()) == (0, ("", ""))
        assert time.monotonic() - began < 6


def test_a_migration_that_fails_tells_what_was_passed_and_what_failed(
    receiver: Receiver, tmp_path: Path
) -> None:
    done, _ = migrate(receiver.url, tmp_path, "OSError('Connect call failed')")
    assert (done.returncode, done.stderr) == (1, "")
    assert receiver.faults == []
    assert receiver.checkpoints == [(1, "ok", ""), (2, "fail", "db_unreachable")]
    failed = max(receiver.records, key=lambda one: one.at)
    assert (failed.message, failed.severity) == ("Connect call failed", 17)


def test_a_receiver_that_hangs_costs_a_failing_migration_a_second_at_most(tmp_path: Path) -> None:
    _, without = migrate("", tmp_path, "OSError('refused')")
    with hanging() as base:
        done, seconds = migrate(base, tmp_path, "OSError('refused')")
    assert done.returncode == 1
    assert "reason=db_unreachable" in done.stdout
    assert 0.9 < seconds - without < 2


def test_a_migration_that_talks_too_much_tells_no_secret(receiver: Receiver, tmp_path: Path) -> None:
    done, _ = migrate(
        receiver.url, tmp_path, TALKATIVE % "DATABASE_URL OPENROUTER_API_KEY PASSED_ON S3_BUCKET"
    )
    assert receiver.checkpoints[-1] == (2, "fail", "migration_error")
    failed = max(receiver.records, key=lambda one: one.at)
    assert failed.message == "RuntimeError: DATABASE_URL OPENROUTER_API_KEY DATABASE_URL statements"
    told = done.stdout + done.stderr + b" ".join(receiver.bodies).decode()
    shown = (SECRETS["DATABASE_URL"], SECRETS["OPENROUTER_API_KEY"], PASSWORD, "p%40ss")
    assert not any(value in told for value in shown)
