"""One command brings the stack up; the others tell the truth about it."""

from __future__ import annotations

import json
import os
import signal

import psutil
import pytest

from tests.real.conftest import Checkout, kill
from tests.stages.machine import held
from tests.waiting import until

pytestmark = pytest.mark.real
UNITS = {"postgres", "redis", "minio", "router", "backend", "frontend"}


def test_an_empty_machine_serves_after_one_command_and_a_repeat_does_nothing(checkout: Checkout) -> None:
    first = checkout.setup("--json").json
    assert (first["outcome"], first["exit_code"], first["errors"]) == ("deployed", 0, [])
    assert [line.split(" after ")[0] for line in first["checkpoints"]] == [
        "1 secrets ok",
        "2 migrations ok",
        "3 server ok",
    ]
    assert checkout.get("/")[0] == 200
    assert checkout.health["status"] == "healthy"
    before = checkout.pids()
    assert set(before) == UNITS
    again = checkout.setup("--json").json
    assert (again["outcome"], again["changes"]) == ("nothing to do", [])
    assert checkout.pids() == before


def test_a_service_that_died_a_moment_before_is_noticed(checkout: Checkout) -> None:
    checkout.setup()
    before = checkout.pids()
    for supervisor in checkout.supervisors():
        kill(supervisor)
    kill(psutil.Process(before["redis"]))
    done = checkout.setup("--json").json
    assert "start unit redis: it does not run" in done["changes"]
    after = checkout.pids()
    assert after["redis"] != before["redis"]
    assert {name: after[name] for name in UNITS - {"redis"}} == {
        name: before[name] for name in UNITS - {"redis"}
    }


def test_status_logs_checkpoints_and_history_tell_what_is_there(checkout: Checkout) -> None:
    assert checkout.run("finance_report.status").code == 1
    checkout.setup()
    status = checkout.run("finance_report.status")
    assert status.code == 0
    assert sorted(line.split()[2] for line in status.out.splitlines()) == sorted(UNITS)
    assert {line.split()[0] for line in status.out.splitlines()} == {"OK"}
    assert "backend | " in checkout.run("finance_report.app.logs", "--tail", "20").out
    assert "3 server ok" in checkout.run("finance_report.app.checkpoints").out
    history = checkout.run("finance_report.app.history", "--json").json["facts"]["records"]
    assert [one["verdict"] for one in history] == ["ok"]
    assert history[0]["release"] == checkout.health["git_sha"]


def test_status_fails_for_the_one_that_is_dead_and_names_the_way_back(checkout: Checkout) -> None:
    checkout.setup()
    for supervisor in checkout.supervisors():
        kill(supervisor)
    kill(psutil.Process(checkout.pids()["frontend"]))
    status = checkout.run("finance_report.app.status")
    assert status.code == 1
    assert "FAIL  app  frontend" in status.out
    assert "./inv finance_report.app.setup" in status.err


def test_the_plan_changes_nothing_and_says_that_something_is_pending(checkout: Checkout) -> None:
    plan = checkout.run("finance_report.app.plan", "--json")
    assert plan.code == 3
    assert plan.json["outcome"] == "changes are pending"
    assert not checkout.home_of_state.exists()
    assert not (checkout.folder / "share").exists()
    assert checkout.processes() == {}


def test_psql_opens_with_the_right_credentials_and_none_in_an_argument(checkout: Checkout) -> None:
    checkout.setup()
    shell = checkout.run(
        "finance_report.postgres.shell",
        stdin="SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user;\n",
    )
    assert shell.code == 0, shell.err
    assert "finance_report_app | f" in shell.out
    redis = checkout.run("finance_report.redis.shell", stdin="SET greeting hello\nGET greeting\nNONSENSE\n")
    assert redis.out.splitlines()[:2] == ["True", "hello"]
    assert redis.out.splitlines()[2].startswith("(error)")


def test_data_survives_down_and_setup_and_goes_with_destroy_after_consent(checkout: Checkout) -> None:
    checkout.setup()
    sql = ["finance_report.postgres.shell"]
    assert checkout.run(*sql, stdin="CREATE TABLE kept AS SELECT 42 AS answer;\n").code == 0
    down = checkout.run("finance_report.down")
    assert down.code == 0, down.err
    assert checkout.processes() == {}
    assert checkout.supervisors() == []
    assert checkout.run("finance_report.down", "--json").json["outcome"] == "nothing to do"
    checkout.setup()
    assert "42" in checkout.run(*sql, stdin="SELECT answer FROM kept;\n").out
    refused = checkout.run("finance_report.destroy")
    assert refused.code == 2
    assert "needs consent" in refused.err
    assert checkout.get("/")[0] == 200
    assert checkout.run("finance_report.destroy", "--json").code == 2
    gone = checkout.run("finance_report.destroy", "--yes")
    assert gone.code == 0, gone.err
    assert checkout.processes() == {}
    assert not checkout.state.exists()
    checkout.setup()
    assert "42" not in checkout.run(*sql, stdin="SELECT answer FROM kept;\n").out
    history = checkout.run("finance_report.app.history", "--json").json["facts"]["records"]
    assert [one["verdict"] for one in history][:2] == ["ok", "destroyed"]


def test_a_data_folder_that_vanished_is_not_silently_started_empty(checkout: Checkout) -> None:
    import shutil

    checkout.setup()
    assert checkout.run("finance_report.down").code == 0
    shutil.rmtree(checkout.state / "data/postgres")
    refused = checkout.run("finance_report.app.setup")
    assert refused.code == 1
    assert "has run before" in refused.err
    assert "--init" in refused.err
    assert checkout.processes() == {}
    checkout.setup("--init")


def test_editing_the_tree_changes_nothing_until_setup(checkout: Checkout) -> None:
    checkout.setup()
    before = checkout.health["git_sha"]
    page = checkout.root / "reference_app/apps/backend/src/config.py"
    page.write_text(page.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")
    assert checkout.health["git_sha"] == before
    done = checkout.setup("--json").json
    assert any(change.startswith("restart unit backend") for change in done["changes"])
    assert not any("postgres: it" in change for change in done["changes"])
    assert checkout.health["git_sha"] != before


def test_force_restarts_the_application_and_leaves_its_stores_alone(checkout: Checkout) -> None:
    checkout.setup()
    before = checkout.pids()
    checkout.setup("--force")
    after = checkout.pids()
    assert after["backend"] != before["backend"]
    assert (after["postgres"], after["redis"], after["router"]) == (
        before["postgres"],
        before["redis"],
        before["router"],
    )


def test_a_written_port_that_is_taken_is_named_before_anything_starts(checkout: Checkout) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        checkout.settings(f"ports: {{redis: {port}}}\n")
        refused = checkout.run("finance_report.app.setup")
    assert refused.code == 2
    assert f"port {port} for redis is held by" in refused.err
    assert f"(pid {os.getpid()})" in refused.err
    assert "→ write another number: ports: {redis: N}" in refused.err
    assert checkout.processes() == {}


def test_a_port_that_is_lost_while_the_servers_start_moves_the_block_in_the_same_command(
    checkout: Checkout,
) -> None:
    running = checkout.popen("finance_report.postgres.setup", "--json")
    until((checkout.state / "data/postgres/pgdata.new").exists)
    lost = checkout.ports["postgres"]
    with held(lost):
        said, progress = running.communicate(timeout=120)
        answer = json.loads(said)
        assert (running.returncode, answer["outcome"]) == (0, "deployed"), progress
        assert f"port {lost} for postgres is held by" in progress
        assert checkout.ports["postgres"] != lost
        assert checkout.run("finance_report.postgres.status").code == 0
        assert checkout.run("finance_report.postgres.plan").code == 0


def test_ctrl_c_ends_with_130_and_leaves_a_way_to_go_on(checkout: Checkout) -> None:
    running = checkout.popen("finance_report.app.setup")
    until(lambda: "postgres" in checkout.processes())
    os.kill(running.pid, signal.SIGINT)
    running.communicate(timeout=20)
    assert running.returncode == 130
    checkout.setup()
    assert set(checkout.pids()) == UNITS


def test_json_is_exactly_one_object_and_people_are_spoken_to_on_stderr(checkout: Checkout) -> None:
    done = checkout.run("finance_report.status", "--json")
    assert json.loads(done.out)["schema"] == "finance_report/1"
    assert done.out.count("\n") == 1
    two = checkout.run("finance_report.status", "finance_report.app.status", "--json")
    assert two.code == 2
    assert json.loads(two.out)["errors"][0]["kind"] == "bad_input"


def test_invokes_own_dry_run_is_refused_with_the_right_command(checkout: Checkout) -> None:
    done = checkout.run("--dry", "finance_report.app.setup")
    assert done.code == 2
    assert "./inv finance_report.app.plan" in done.err
    assert checkout.processes() == {}


def test_a_plan_that_was_agreed_to_is_carried_out_and_refused_once_the_world_has_moved(
    checkout: Checkout,
) -> None:
    checkout.run("finance_report.redis.setup")  # from now on its ports are its own, whoever comes meanwhile
    assert checkout.run("finance_report.down").code == 0
    planned = checkout.run("finance_report.redis.plan", "--json").json["facts"]["plan"]
    assert checkout.run("finance_report.redis.setup", "--plan", planned).code == 0
    refused = checkout.run("finance_report.redis.setup", "--plan", planned)
    assert (refused.code, f"plan {planned} was agreed to" in refused.err) == (1, True)
    now = checkout.run("finance_report.redis.plan", "--json").json["facts"]["plan"]
    assert checkout.run("finance_report.redis.setup", "--plan", now).code == 0
