"""The audit finds what is planted, accuses nobody else, names places and keys, and writes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.real.conftest import Checkout, Done, kill
from tests.real.kept import change, stored
from tests.real.test_secrets_sweep import Census
from tests.real.test_sweep import Sweep, hear, secrets_of

pytestmark = pytest.mark.real
OF_A_SERVER = {1, 2, 6, 7, 8, 11, 12}
TASKS = ("vault.keys", "vault.check", "vault.rotate --service postgres", "vault.rotate --service redis")
LISTENER = """
import os, sys
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.chown", "os.link", "os.symlink",
           "os.truncate", "os.utime", "shutil.rmtree", "os.kill", "subprocess.Popen", "socket.connect"}
def hear(event, words):
    if event == "open" and isinstance(words[2], int) and words[2] & WRITES or event in CHANGES:
        sys.__stderr__.write(f"WROTE {event} {words[0]!s} {words[1] if event == 'socket.connect' else ''}\\n")
sys.addaudithook(hear)
sys.argv = ["inv", "vault.check"]
from invoke.main import program
program.run()
"""


@pytest.fixture
def checkout(shared_checkout: Checkout) -> Checkout:
    """One stack for the whole file: each test sets it up first."""
    shared_checkout.behaves()
    return shared_checkout


def failed(done: Done) -> dict[tuple[int, str], dict[str, Any]]:
    """Give the rows that failed, by number and service."""
    return {
        (row["number"], row["subject"]): row for row in done.json["facts"]["rows"] if row["state"] == "fail"
    }


def audit(checkout: Checkout) -> Done:
    return checkout.run("vault.check", "--json")


@contextmanager
def process_with(argument: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run somebody else's process with this argument and these variables."""
    argv = [sys.executable, "-c", "print(flush=True); input()", argument]
    child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=variables)
    assert child.stdout
    child.stdout.readline()
    try:
        yield child
    finally:
        child.communicate(b"\n")


def test_a_healthy_stack_passes_and_rows_of_a_server_are_skipped(checkout: Checkout) -> None:
    checkout.setup()
    done = audit(checkout)
    assert done.code == 0, done.err
    rows = done.json["facts"]["rows"]
    assert {row["number"] for row in rows} == set(range(1, 14))
    skipped = {row["number"]: row["detail"] for row in rows if row["state"] == "skipped"}
    assert {number for number, why in skipped.items() if why == "local store"} == OF_A_SERVER
    assert all(row["window"] for row in rows)
    assert {row["state"] for row in rows} == {"ok", "skipped"}


def test_nothing_was_set_up_so_keys_are_missing(make_checkout: Callable[[], Checkout]) -> None:
    checkout = make_checkout()
    done = audit(checkout)
    assert done.code == 1
    assert {number for number, _ in failed(done)} == {3, 5}
    assert not checkout.home_of_state.exists()


def test_a_changed_derived_key_is_drift_and_repaired_only_on_request(checkout: Checkout) -> None:
    checkout.setup()
    planted = "postgresql+asyncpg://someone:made-up-password@elsewhere.example.test:5432/x"
    change(checkout, "app", "DATABASE_URL", planted)
    done = audit(checkout)
    assert done.code == 1
    row = failed(done)[4, "app"]
    assert "DATABASE_URL" in row["detail"]
    assert row["next_step"] == "./inv finance_report.app.setup --repair-derived"
    assert planted not in done.out + done.err
    refused = checkout.run("finance_report.app.setup")
    assert (refused.code, stored(checkout, "app")["DATABASE_URL"]) == (1, planted)
    checkout.setup("--repair-derived")
    assert stored(checkout, "app")["DATABASE_URL"] != planted
    assert audit(checkout).code == 0


def test_lone_secrets_are_found_by_place_and_key_and_never_shown(checkout: Checkout) -> None:
    checkout.setup()
    password, cache = stored(checkout, "postgres")["APP_PASSWORD"], stored(checkout, "redis")["PASSWORD"]
    log = checkout.state / "logs/frontend.log"
    with log.open("a", encoding="utf-8") as file:
        file.write(f"connecting with {password}\n")
    with process_with(f"--password={cache}", TOKEN=password) as child:
        found = audit(checkout)
    assert found.code == 1
    said = {row["detail"] for row in found.json["facts"]["rows"] if row["number"] == 13}
    name = psutil.Process().name()
    for line in (
        f"APP_PASSWORD in {log}",
        f"PASSWORD in the arguments of {name} (pid {child.pid})",
        f"APP_PASSWORD in the environment of {name} (pid {child.pid})",
    ):
        assert line in said, said
    assert len(said) == 3
    assert [value for value in (password, cache) if value in found.out + found.err] == []
    log.write_text("", encoding="utf-8")
    assert audit(checkout).code == 0


def test_a_rendered_file_that_cannot_be_used_or_is_gone_fails(checkout: Checkout) -> None:
    checkout.setup()
    file = Path(psutil.Process(checkout.pids()["backend"]).environ()["INFRA_SECRETS_FILE"])
    text = file.read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    for broken, words in (
        (text + "half", "does not parse"),
        ("".join(line for line in lines if not line.startswith("REDIS_URL=")), "lacks REDIS_URL"),
    ):
        file.write_text(broken, encoding="utf-8")
        assert words in failed(audit(checkout))[5, "app"]["detail"]
    file.write_text(text, encoding="utf-8")
    file.chmod(0o644)
    assert failed(audit(checkout))[5, "app"]["detail"] == "is not private"
    file.unlink()
    assert failed(audit(checkout))[5, "app"]["detail"] == "is not there"
    checkout.setup()
    assert audit(checkout).code == 0


def test_a_service_that_does_not_run_is_unknown_and_no_fail(checkout: Checkout) -> None:
    checkout.setup()
    for supervisor in checkout.supervisors():
        kill(supervisor)
    kill(psutil.Process(checkout.pids()["redis"]))
    done = audit(checkout)
    assert (done.code, failed(done)) == (2, {})
    unknown = [row for row in done.json["facts"]["rows"] if row["state"] == "unknown"]
    assert [(row["number"], row["subject"]) for row in unknown] == [(10, "redis")]


def test_the_audit_writes_nothing_and_starts_nothing(checkout: Checkout) -> None:
    """Every event of the interpreter that opens for writing, changes the disk, starts or ends something."""
    checkout.setup()
    before = contents(checkout)
    done = subprocess.run(
        [sys.executable, "-B", "-c", LISTENER],
        cwd=checkout.root,
        env=checkout.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stderr.splitlines() if line.startswith("WROTE")] == []
    assert contents(checkout) == before


def contents(checkout: Checkout) -> dict[str, tuple[int, int]]:
    """Give time and size of every file of the store, the state and the rendered secrets, but for logs."""
    folders = (checkout.folder / "share", checkout.home_of_state, checkout.memory)
    files = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    owned = (path for path in files if "data" not in path.parts and path.suffix != ".log")
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in owned}


def test_none_of_the_four_tasks_shows_a_secret_anywhere(checkout: Checkout) -> None:
    checkout.setup()
    value = "sk-or-v1-0123456789abcdef"
    census, heard = Census(), []
    with census.running():
        put = ("vault.put", "--service", "app", "--key", "OPENROUTER_API_KEY")
        heard.append(("put", checkout.run(*put, stdin=value)))
        old = secrets_of(checkout)
        for line in TASKS:
            heard += [(form, checkout.run(*form.split())) for form in (line, f"{line} --json")]
    for known in (old, secrets_of(checkout)):
        sweep = Sweep({**known, "OPENROUTER_API_KEY": value})
        for name, done in heard:
            hear(sweep, name, done)
        census.tell(sweep)
        store = next((checkout.folder / "share").rglob("local.json"))
        sweep.files(checkout.folder, {store})
        sweep.files(checkout.home_of_state, set())
        assert sweep.seen == set()
    assert [done.code for _, done in heard if done.code] == [1, 1], "only the audit before the redeploy"
    assert os.environ.get("OPENROUTER_API_KEY") is None
