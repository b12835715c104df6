"""Killed half-way, at every stage: the next run converges, nothing is doubled, no row is lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import psutil
import pytest

from tests.real.conftest import Checkout, kill
from tests.waiting import until

pytestmark = pytest.mark.real
UNITS = {"postgres", "redis", "minio", "router", "backend", "frontend"}


def kill_at(running: subprocess.Popen[str], word: str) -> None:
    """Kill a setup with SIGKILL as soon as it has printed a line that holds this word."""
    assert running.stderr
    for line in running.stderr:
        if word in line:
            break
    kill(running)
    running.stderr.close()


def converges(checkout: Checkout) -> None:
    checkout.setup()
    assert set(checkout.pids()) == UNITS
    assert len(checkout.supervisors()) == 1
    assert checkout.health["status"] == "healthy"
    assert checkout.setup("--json").json["outcome"] == "nothing to do"


@pytest.mark.parametrize("stage", ["plan", "preflight", "apply", "gate", "facts", "probes", "watch"])
def test_a_setup_that_is_killed_after_a_stage_is_finished_by_the_next(checkout: Checkout, stage: str) -> None:
    kill_at(checkout.popen("finance_report.app.setup"), f" {stage} ")
    converges(checkout)


def test_a_first_setup_that_is_killed_at_any_moment_is_finished_by_the_next(checkout: Checkout) -> None:
    moments = random.Random(20)  # noqa: S311  # the same moments in every run
    for _ in range(6):
        running = checkout.popen("finance_report.app.setup")
        time.sleep(moments.uniform(0.3, 2.5))  # a kill has no condition to wait for: the moment is the test
        kill(running)
    converges(checkout)


def test_a_killed_supervisor_is_replaced_and_its_units_go_on_serving(checkout: Checkout) -> None:
    checkout.setup()
    before = checkout.pids()
    kill(checkout.supervisors()[0])
    assert checkout.get("/api/health")[0] == 200
    done = checkout.setup("--json").json
    assert done["changes"] == ["start supervisor supervisor: it does not run"]
    assert checkout.pids() == before
    kill(psutil.Process(before["frontend"]))
    until(lambda: checkout.get("/")[0] == 200)
    assert len(checkout.supervisors()) == 1


def test_postgres_killed_while_serving_comes_back_with_every_row(checkout: Checkout) -> None:
    checkout.setup()
    shell = ["finance_report.postgres.shell"]
    checkout.run(
        *shell, stdin="CREATE TABLE kept (n int); INSERT INTO kept SELECT generate_series(1, 1000);\n"
    )
    kill(psutil.Process(checkout.pids()["postgres"]))
    until(lambda: checkout.health.get("status") == "healthy" and "postgres" in checkout.pids())
    assert "1000" in checkout.run(*shell, stdin="SELECT count(*) FROM kept;\n").out
    assert checkout.setup("--json").json["exit_code"] == 0
    assert set(checkout.pids()) == UNITS


def test_two_setups_at_once_give_one_stack_and_the_second_is_told_who_deploys(checkout: Checkout) -> None:
    first = checkout.popen("finance_report.app.setup")
    until(lambda: "postgres" in checkout.processes())
    second = checkout.run("finance_report.app.setup")
    assert second.code == 2
    assert f"(pid {first.pid})" in second.err
    assert "lock.status" in second.err
    first.communicate(timeout=60)
    assert first.returncode == 0
    assert set(checkout.pids()) == UNITS


def test_a_second_setup_can_wait_for_the_first(checkout: Checkout) -> None:
    first = checkout.popen("finance_report.app.setup")
    until(lambda: "postgres" in checkout.processes())
    second = checkout.run("finance_report.app.setup", "--lock-wait", "60", "--json")
    assert (second.code, second.json["outcome"]) == (0, "nothing to do")
    first.communicate(timeout=60)
    assert first.returncode == 0


def test_a_stopped_setup_that_holds_the_lease_is_not_overtaken(checkout: Checkout) -> None:
    checkout.setup()
    running = checkout.popen("finance_report.app.setup", "--force")
    until(lambda: "restart unit backend" in (running.stderr.readline() if running.stderr else ""))
    os.kill(running.pid, signal.SIGSTOP)
    assert checkout.run("finance_report.app.setup").code == 2
    assert "is being deployed by" in checkout.run("lock.status").out
    kill(running)
    assert "who is gone" in checkout.run("lock.status").out
    converges(checkout)


def test_a_lease_is_broken_only_with_a_reason(checkout: Checkout) -> None:
    assert checkout.run("lock.release").code == 2
    assert checkout.run("lock.release", "--reason", "drill").code == 0
    assert "nobody deploys local" in checkout.run("lock.status").out


def test_a_setup_that_is_ended_politely_ends_with_143(checkout: Checkout) -> None:
    running = checkout.popen("finance_report.app.setup")
    until(lambda: "postgres" in checkout.processes())
    running.terminate()
    running.communicate(timeout=20)
    assert running.returncode == 143
    assert "nobody deploys local" in checkout.run("lock.status").out
    converges(checkout)


def test_two_checkouts_serve_side_by_side_and_ending_one_leaves_the_other(
    make_checkout: Callable[[], Checkout],
) -> None:
    one, two = make_checkout(), make_checkout()
    one.setup()
    two.setup()
    assert set(one.ports.values()).isdisjoint(two.ports.values())
    assert (one.health["status"], two.health["status"]) == ("healthy", "healthy")
    before = two.pids()
    assert one.run("finance_report.destroy", "--yes").code == 0
    assert one.processes() == {}
    assert two.pids() == before
    assert two.get("/")[0] == 200


def test_a_unit_that_runs_twice_is_ended_and_started_once(checkout: Checkout) -> None:
    checkout.setup()
    before = checkout.pids()["frontend"]
    marks = psutil.Process(before).environ()
    double = psutil.Popen([sys.executable, "-c", "import signal; signal.pause()"], env=marks)
    try:
        done = checkout.setup("--json").json
        assert "stop unit frontend: it runs twice, or nothing declares it" in done["changes"]
        assert double.wait(10) is not None
        assert checkout.pids()["frontend"] != before
        assert checkout.get("/")[0] == 200
    finally:
        if double.is_running():
            double.kill()
