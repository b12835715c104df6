"""A rehearsal with a real Vault beside it: real agents render what the services read."""

from __future__ import annotations

import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from infra.model import dotenv
from infra.targets.process import credentials
from tests.real.conftest import Checkout, kill
from tests.real.vault_rehearsal import WITH_SECRETS, Rehearsal
from tests.waiting import until

pytestmark = pytest.mark.real("VT")
AGENTS = {f"{name}-vault-agent" for name in WITH_SECRETS}
UNITS = {*AGENTS, "postgres", "redis", "router", "backend", "frontend"}
Make = Callable[..., Rehearsal]


@pytest.fixture
def make(checkout: Checkout) -> Iterator[Make]:
    made: list[Rehearsal] = []

    def rehearsal(env: str = "staging") -> Rehearsal:
        made.append(Rehearsal(checkout, env))
        made[-1].start()
        return made[-1]

    yield rehearsal
    for one in made:
        one.end(signal.SIGTERM)


def agents_of(unit: str, checkout: Checkout) -> list[psutil.Process]:
    """Give the processes of the agent's own program that run as a unit."""
    return [
        process
        for process in psutil.process_iter(["cmdline", "environ"])
        if (process.info["environ"] or {}).get("INFRA_UNIT") == unit
        and checkout.home_of_state.name in process.info["environ"]["HOME"]
        and process.info["cmdline"][1:2] == ["agent"]
    ]


def test_services_read_what_their_agents_render_and_nothing_else_holds_a_secret(make: Make) -> None:
    rehearsal = make()
    checkout = rehearsal.checkout
    _without_a_credential_nothing_is_changed(rehearsal)
    rehearsal.deliver()
    wrapped = [_delivered(rehearsal, name).wrapped.reveal() for name in WITH_SECRETS]
    done = rehearsal.setup("--json")
    assert done.json["outcome"] == "deployed"
    assert set(checkout.pids()) == UNITS
    for name in WITH_SECRETS:
        file = rehearsal.rendered(name)
        stored = rehearsal.server.must("GET", rehearsal.path_of(name))["data"]["data"]
        assert dotenv.parse(file.read_text(encoding="utf-8")) == stored
        assert stat.S_IMODE(file.stat().st_mode) == 0o400
        beat = credentials.heartbeat(rehearsal.places, name)
        assert beat is not None
        assert (beat.deploy, beat.token_deploy) == (done.json["deploy_id"], "d-1")
        assert [one.version for one in credentials.rendered_versions(rehearsal.places, name)] == [1]
    assert rehearsal.kept_on_file() == []
    again = rehearsal.setup("--json")
    assert again.json["outcome"] == "nothing to do"
    assert set(again.json["facts"]) >= {"rehearsal", "left_out"}
    _nobody_shows_a_credential(rehearsal, [*wrapped, rehearsal.token_file.read_text(encoding="utf-8")])
    _an_agent_that_is_killed_comes_back_and_its_file_stays(rehearsal)
    _a_new_version_restarts_who_reads_it(rehearsal)


def _delivered(rehearsal: Rehearsal, service: str) -> credentials.Delivered:
    found = credentials.delivered(rehearsal.places, service)
    assert found is not None
    return found


def _without_a_credential_nothing_is_changed(rehearsal: Rehearsal) -> None:
    done = rehearsal.run("app.setup")
    assert done.code == 2
    assert "app: its Vault agent has no credential" in done.err
    next_step = "→ ./inv vault.setup-tokens --project=finance_report --env staging --target process"
    assert done.err.splitlines()[-1] == next_step
    assert not rehearsal.checkout.processes()
    assert rehearsal.server.call("GET", rehearsal.path_of("app")).status_code == 404


def _nobody_shows_a_credential(rehearsal: Rehearsal, secrets: list[str]) -> None:
    """Neither the command lines and environments of units, nor what the supervisor writes down, nor logs."""
    checkout = rehearsal.checkout
    seen = [(rehearsal.root / "run/units.json").read_text(encoding="utf-8"), rehearsal.said]
    seen += [file.read_text(encoding="utf-8") for file in (rehearsal.root / "logs").iterdir()]
    mains = [main for many in checkout.processes().values() for main in many]
    for process in [*mains, *(child for main in mains for child in main.children(recursive=True))]:
        seen += [*process.cmdline(), *process.environ().values()]
    server = psutil.Process(rehearsal.entry["pid"])
    seen += server.cmdline()
    assert not [True for secret in secrets for text in seen if secret in text]
    assert {stat.S_IMODE(file.stat().st_mode) for file in rehearsal.root.glob("credentials/*/*")} == {0o600}


def _an_agent_that_is_killed_comes_back_and_its_file_stays(rehearsal: Rehearsal) -> None:
    checkout, unit = rehearsal.checkout, "redis-vault-agent"
    before = rehearsal.rendered("redis").stat()
    _kill_and_wait(checkout, unit, lambda: checkout.processes()[unit])
    _kill_and_wait(checkout, unit, lambda: agents_of(unit, checkout))
    until(lambda: rehearsal.run("redis.status").code == 0)
    after = rehearsal.rendered("redis").stat()
    assert (after.st_ino, after.st_mtime) == (before.st_ino, before.st_mtime)
    everything = checkout.processes()
    assert {name: len(many) for name, many in everything.items() if name in UNITS} == dict.fromkeys(UNITS, 1)


def _kill_and_wait(checkout: Checkout, unit: str, find: Callable[[], list[psutil.Process]]) -> None:
    first = agents_of(unit, checkout)[0]
    kill(find()[0])
    until(lambda: _stands_in_for(first, unit, checkout))


def _stands_in_for(first: psutil.Process, unit: str, checkout: Checkout) -> bool:
    """Tell whether one other agent runs as a unit, and the first one runs no more."""
    found = agents_of(unit, checkout)
    return len(found) == 1 and found != [first] and not first.is_running()


def _a_new_version_restarts_who_reads_it(rehearsal: Rehearsal) -> None:
    before = rehearsal.checkout.pids()
    path = rehearsal.path_of("app")
    values = rehearsal.server.must("GET", path)["data"]["data"]
    rehearsal.server.put(path, {**values, "OPENROUTER_API_KEY": "it's new"})
    done = rehearsal.setup("--json")
    after = rehearsal.checkout.pids()
    assert done.json["outcome"] == "deployed"
    changed = {name for name in UNITS if before[name] != after[name]}
    assert changed == {"app-vault-agent", "backend", "frontend"}
    assert dotenv.parse(rehearsal.rendered("app").read_text("utf-8"))["OPENROUTER_API_KEY"] == "it's new"


def test_a_vault_that_ended_leaves_the_services_alone_and_is_named(make: Make) -> None:
    rehearsal = make()
    rehearsal.deliver("postgres")
    assert rehearsal.run("postgres.setup").code == 0
    before = rehearsal.checkout.pids()
    assert rehearsal.end() == 130
    before.pop("postgres-vault-agent")
    for task in ("postgres.setup", "postgres.plan", "postgres.history"):
        done = rehearsal.run(task)
        assert done.code == 2, done.err
        assert "does not run any more, and its secrets are gone with it" in done.err
        assert done.err.splitlines()[-1] == "→ ./inv vault.dev --env staging"
    assert rehearsal.checkout.pids() == before
    assert rehearsal.run("postgres.logs").code == 0
    status = rehearsal.run("postgres.status", "--json")
    assert set(status.json["facts"]["units"]) == {"postgres", "postgres-vault-agent"}
    _another_vault_is_not_taken_for_it(rehearsal)
    rehearsal.end()
    assert rehearsal.run("destroy", "--yes").code == 0
    assert not rehearsal.checkout.processes()
    assert not rehearsal.root.exists()


def _another_vault_is_not_taken_for_it(rehearsal: Rehearsal) -> None:
    rehearsal.start()
    done = rehearsal.run("postgres.setup")
    assert done.code == 1, done.err
    assert "were made with secrets in another Vault" in done.err
    next_step = "→ ./inv finance_report.destroy --env staging --target process"
    assert done.err.splitlines()[-1] == next_step


def test_a_rehearsal_that_began_with_the_file_store_is_not_moved_to_a_vault(checkout: Checkout) -> None:
    rehearsal = Rehearsal(checkout)
    assert rehearsal.run("redis.setup").code == 0
    try:
        rehearsal.start()
        done = rehearsal.run("redis.setup")
        assert (done.code, "were made with secrets in the file store" in done.err) == (1, True)
        assert rehearsal.run("destroy", "--yes").code == 0
        assert rehearsal.server.call("GET", "sys/health").ok, "what a living server has is left to it"
        rehearsal.deliver("postgres", "redis")
        assert rehearsal.run("redis.setup").code == 0
    finally:
        rehearsal.end()


def test_a_preview_keeps_its_values_below_preview_and_its_agent_has_the_role_of_all_previews(
    make: Make,
) -> None:
    rehearsal = make("pr_47")
    rehearsal.deliver("postgres", "redis")
    done = rehearsal.run("redis.setup")
    assert done.code == 0, done.err
    stored = rehearsal.server.must("GET", "secret/data/finance_report/preview/pr_47/redis")["data"]["data"]
    assert dotenv.parse(rehearsal.rendered("redis").read_text(encoding="utf-8")) == stored
    kept = rehearsal.server.must("LIST", "secret/metadata/finance_report/preview/pr_47")["data"]["keys"]
    assert {"_state/", "postgres", "redis"} <= set(kept)
    assert rehearsal.server.must("LIST", "secret/metadata/finance_report")["data"]["keys"] == ["preview/"]


def test_settings_and_variables_of_a_real_vault_are_never_used_by_a_rehearsal(make: Make) -> None:
    rehearsal = make()
    rehearsal.deliver("postgres", "redis")
    checkout: Checkout = rehearsal.checkout
    checkout.settings("vault: {address: 'https://vault.example.test'}\n")
    done = rehearsal.run("redis.setup", VAULT_ADDR="http://127.0.0.1:1", VAULT_TOKEN="somebody's")
    assert done.code == 0, done.err
    assert rehearsal.entry["address"] in done.err
    _a_killed_supervisor_is_replaced_and_the_agent_adopted(rehearsal)


def _a_killed_supervisor_is_replaced_and_the_agent_adopted(rehearsal: Rehearsal) -> None:
    checkout = rehearsal.checkout
    before = checkout.pids()
    kill(checkout.supervisors()[0])
    assert rehearsal.run("redis.setup").code == 0
    assert checkout.pids() == before
    beat = credentials.heartbeat(rehearsal.places, "redis")
    until(lambda: credentials.heartbeat(rehearsal.places, "redis") != beat)
    assert rehearsal.run("down").code == 0
    assert not checkout.processes()
    log = (rehearsal.root / "logs/redis-vault-agent.log").read_text(encoding="utf-8")
    assert "The agent ended with 0" in log
    assert Path(rehearsal.rendered("redis")).exists()
