"""A throw-away Vault: one for each environment, told, private, and gone when it is ended."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
from collections.abc import Iterator

import psutil
import pytest

from tests import neighbour
from tests.real.conftest import Checkout, kill
from tests.real.vault_rehearsal import Rehearsal
from tests.waiting import until

pytestmark = pytest.mark.real("VT")


@pytest.fixture
def staging(checkout: Checkout) -> Iterator[Rehearsal]:
    rehearsal = Rehearsal(checkout)
    yield rehearsal
    rehearsal.end(signal.SIGTERM)
    for process in servers(checkout):
        kill(process)


def servers(checkout: Checkout) -> list[psutil.Process]:
    """Give the servers of this checkout, found without the code under test."""
    place = str(checkout.home_of_state)
    found = psutil.process_iter(["environ", "status"])
    return [
        one
        for one in found
        if (one.info["environ"] or {}).get("INFRA_VAULT_DEV", "").startswith(place)
        and one.info["status"] != psutil.STATUS_ZOMBIE
    ]


def test_it_serves_agents_on_loopback_and_shows_its_token_to_nobody(staging: Rehearsal) -> None:
    server = staging.start()
    token = staging.token_file.read_text(encoding="utf-8")
    assert server.address.startswith("https://127.0.0.1:")
    assert staging.said.splitlines()[0] == server.address
    assert "./inv finance_report.setup --env staging --target process" in staging.said
    (process,) = servers(staging.checkout)
    assert not [word for word in [staging.said, *process.cmdline()] if token in word]
    files = (staging.token_file, staging.root / "vault-dev.json", staging.token_file.with_name("server.log"))
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    root, _, key = sorted(staging.token_file.parent.glob("*.pem"))
    assert stat.S_IMODE(key.stat().st_mode) == 0o400
    assert staging.entry["certificate"] == root.read_text("ascii")
    assert stat.S_IMODE(staging.token_file.parent.stat().st_mode) == 0o700
    assert not list(staging.checkout.home.rglob(".vault-token"))
    tuned = server.must("GET", "sys/mounts/auth/approle/tune")["data"]
    assert tuned["user_lockout_disable"] is True
    assert server.must("GET", "sys/audit")["data"]["file/"]["options"]["file_path"].startswith(
        str(staging.root)
    )


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_it_ends_when_asked_and_takes_its_token_along(
    staging: Rehearsal, number: signal.Signals, code: int
) -> None:
    staging.start()
    assert staging.end(number) == code
    assert [file.name for file in staging.token_file.parent.iterdir()] == ["server.log"]
    assert staging.entry["pid"], "what it held is known to be gone"
    assert not servers(staging.checkout)


def test_a_second_one_of_an_environment_says_where_the_first_runs(staging: Rehearsal) -> None:
    server = staging.start()
    done = staging.checkout.run("vault.dev", "--env", "staging", PATH=staging.path)
    assert done.code == 1
    assert f"runs already, at {server.address} (pid {staging.entry['pid']})" in done.err
    assert server.call("GET", "sys/health").ok


def test_the_next_start_ends_what_a_killed_command_left_behind(staging: Rehearsal) -> None:
    staging.start()
    first = psutil.Process(staging.entry["pid"])
    assert staging.window is not None
    staging.window.kill()
    staging.window.wait()
    assert first.is_running()
    server = staging.start()
    until(lambda: not first.is_running() or first.status() == psutil.STATUS_ZOMBIE)
    assert "a killed command left behind" in staging.said
    assert server.call("GET", "sys/health").ok
    assert [one.pid for one in servers(staging.checkout)] == [staging.entry["pid"]]


def test_what_only_bears_the_mark_of_a_server_is_told_and_not_ended(staging: Rehearsal) -> None:
    marks = {"INFRA_VAULT_DEV": str(staging.root), "INFRA_PROOF": "0" * 64}
    doubted = subprocess.Popen(["/bin/sleep", "600"], env=marks)
    stranger = neighbour.start("/bin/sleep", "600", env=marks)
    try:
        staging.start()
        assert f"a Vault (pid {doubted.pid}) with our marks and no proof is left alone" in staging.said
        assert (doubted.poll(), stranger.poll()) == (None, None)
        assert os.getuid() != 0 or f"(pid {stranger.pid})" not in staging.said
    finally:
        for one in (doubted, stranger):
            one.kill()
            one.wait()


def test_an_environment_without_a_vault_gets_none(checkout: Checkout) -> None:
    done = checkout.run("vault.dev", "--env", "local")
    assert (done.code, done.err.splitlines()[-1]) == (2, "→ ./inv vault.dev --env staging")


def test_a_machine_without_vault_and_without_go_is_told_how_to_get_it(checkout: Checkout) -> None:
    done = checkout.run("vault.dev", "--env", "staging", PATH="/nowhere")
    assert done.code == 2
    assert "there is no Vault on this machine" in done.err
    assert "install Go" in done.err.splitlines()[-1]
