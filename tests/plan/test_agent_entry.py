"""The entry point of an agent, in every shell that its image may have."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.plan.agent_stand_in import EACH_SHELL, SHELLS, WHOLE, StandIn, refusal
from tests.waiting import until


@pytest.fixture(params=EACH_SHELL)
def agent(request: pytest.FixtureRequest, tmp_path: Path) -> StandIn:
    return StandIn(SHELLS[request.param], tmp_path)


def test_the_wrapping_token_is_looked_up_without_a_token_and_unwrapped_with_itself(agent: StandIn) -> None:
    assert agent.start() == 0
    assert agent.calls("wrapping") == [
        "|write -field=creation_path sys/wrapping/lookup token=-|wrapping-token"
    ]
    assert agent.calls("unwrap") == ["wrapping-token|unwrap -format=table|"]


def test_the_credential_is_for_its_owner_alone(agent: StandIn) -> None:
    agent.start()
    kept = {file.name: file.read_text() for file in (agent.folder / "cred").iterdir()}
    assert (kept["role_id"], kept["secret_id"], kept["accessor"]) == (
        *("the-role-id", "the-secret-id"),
        "the-accessor",
    )
    assert set(kept) == {"role_id", "secret_id", "accessor", "unwrapped"}
    modes = {stat.S_IMODE(file.stat().st_mode) for file in (agent.folder / "cred").iterdir()}
    assert (stat.S_IMODE((agent.folder / "cred").stat().st_mode), modes) == (0o700, {0o600})
    assert "wrapping-token" not in kept["unwrapped"], "a hash of it is remembered"


def test_a_restart_uses_the_credential_and_asks_nothing_of_the_used_token(agent: StandIn) -> None:
    assert [agent.start(), agent.start(), agent.start(VAULT_WRAPPED_SECRET_ID="")] == [0, 0, 0]
    assert (len(agent.calls("wrapping")), len(agent.calls("unwrap")), len(agent.calls("agent"))) == (1, 1, 3)


def test_a_new_wrapping_token_replaces_the_credential(agent: StandIn) -> None:
    agent.start()
    agent.write("unwrap", "secret_id  another-id\nsecret_id_accessor  another-accessor\n")
    agent.start(VAULT_WRAPPED_SECRET_ID="another-wrapping-token")
    assert (agent.read("cred/secret_id"), agent.read("cred/accessor")) == ("another-id", "another-accessor")


@pytest.mark.parametrize(
    "path",
    [
        "auth/approle/role/finance_report-production-redis/secret-id",
        "auth/approle/role/finance_report-staging-redis/secret-id/x",
        "auth/token/create",
        "",
    ],
)
def test_a_token_from_another_path_stops_the_start_before_it_is_unwrapped(agent: StandIn, path: str) -> None:
    agent.write("wrapping", path)
    assert agent.start() == 1
    assert "state=fail deploy=d-1 reason=wrap_foreign" in agent.read("log")
    assert (agent.calls("unwrap"), agent.calls("agent")) == ([], [])


@pytest.mark.parametrize("call", ["wrapping", "unwrap"])
def test_a_used_token_is_told_and_the_older_credential_goes_on(agent: StandIn, call: str) -> None:
    agent.start()
    agent.fails(call, refusal(400))
    assert agent.start(VAULT_WRAPPED_SECRET_ID="used") == 0
    assert "state=fail deploy=d-1 reason=wrap_invalid" in agent.read("log")
    assert "possibly intercepted" in agent.read("log")
    assert (agent.read("cred/secret_id"), agent.read("cred/accessor")) == ("the-secret-id", "the-accessor")
    assert len(agent.calls("agent")) == 2


def test_a_token_that_held_no_secret_id_is_told_and_the_older_credential_goes_on(agent: StandIn) -> None:
    agent.start()
    agent.write("unwrap", "something_else  x\n")
    assert agent.start(VAULT_WRAPPED_SECRET_ID="another") == 0
    assert "reason=wrap_invalid" in agent.read("log")
    assert agent.read("cred/secret_id") == "the-secret-id"


@pytest.mark.parametrize("call", ["wrapping", "unwrap"])
def test_a_used_token_stops_the_start_of_an_agent_that_has_nothing_else(agent: StandIn, call: str) -> None:
    agent.fails(call, refusal(400))
    assert agent.start() == 1
    assert "reason=wrap_invalid" in agent.read("log")
    assert agent.calls("agent") == []


def test_a_foreign_token_stops_the_start_also_where_an_older_credential_is_kept(agent: StandIn) -> None:
    agent.start()
    agent.write("wrapping", "auth/token/create")
    assert agent.start(VAULT_WRAPPED_SECRET_ID="foreign") == 1
    assert "reason=wrap_foreign" in agent.read("log")
    assert len(agent.calls("agent")) == 1


@pytest.mark.parametrize(
    ("how", "reason"), [(refusal(503), "sealed"), ("dial tcp: connection refused", "unreachable")]
)
def test_a_sealed_or_silent_server_is_waited_for(agent: StandIn, how: str, reason: str) -> None:
    agent.fails("wrapping", how, once=True)
    assert agent.start() == 0
    assert f"state=retry deploy=d-1 reason={reason}" in agent.read("log")
    assert len(agent.calls("unwrap")) == 1


def test_without_any_credential_the_start_stops_and_says_how_to_get_one(agent: StandIn) -> None:
    assert agent.start(VAULT_WRAPPED_SECRET_ID="") == 1
    assert "reason=no_credential" in agent.read("log")
    assert "vault.setup-tokens" in agent.read("log")


RENDERED = (".env", ".versions", ".heartbeat")


def test_rendered_files_are_kept_within_a_deploy_and_removed_at_the_next(agent: StandIn) -> None:
    agent.start()
    for name in RENDERED:
        agent.write(f"secrets/{name}", "rendered")
    agent.start()
    assert [agent.read(f"secrets/{name}") for name in RENDERED] == ["rendered"] * 3
    agent.start(INFRA_DEPLOY="d-2")
    assert [agent.read(f"secrets/{name}") for name in RENDERED] == [""] * 3


def test_a_start_that_fails_leaves_the_files_of_the_older_deploy(agent: StandIn) -> None:
    agent.start()
    agent.write("secrets/.env", "rendered")
    agent.write("wrapping", "auth/token/create")
    agent.start(VAULT_WRAPPED_SECRET_ID="foreign", INFRA_DEPLOY="d-2")
    assert agent.read("secrets/.env") == "rendered"


NOTE_HEALTH = """if [ "$1" = token ] && [ "$2" = revoke ] && [ -e "$STAND_IN/leftovers" ]; then
  sh "$STAND_IN/files/health.sh" >>"$STAND_IN/healths" 2>&1 && echo passed >>"$STAND_IN/healths"
  rm -f "$STAND_IN/leftovers"
fi
"""


@pytest.mark.parametrize("deploy", ["d-1", "d-2"])
def test_no_health_check_passes_on_what_a_killed_agent_left(agent: StandIn, deploy: str) -> None:
    """One is made while the next start still tidies up: in the same deploy, and in the next one."""
    agent.start()
    agent.write("secrets/.env", WHOLE)
    agent.write("token/.token", "token-of-the-killed")
    agent.write("token/.agent", "999999999 bao\n")
    agent.write("leftovers", "")
    program = agent.read("bin/bao").replace("#!/bin/sh\n", f"#!/bin/sh\n{NOTE_HEALTH}")
    agent.write("bin/bao", program).chmod(0o755)
    agent.start(INFRA_DEPLOY=deploy)
    (said,) = agent.read("healths").splitlines()
    assert "reason=ended" in said


def test_its_token_is_revoked_at_the_end_and_the_sink_is_gone(agent: StandIn) -> None:
    agent.start()
    assert agent.calls("revoke") == ["token-of-the-agent|token revoke -self|"]
    assert not (agent.folder / "token/.token").exists()


def test_the_token_of_a_killed_agent_is_revoked_at_the_next_start(agent: StandIn) -> None:
    agent.write("token/.token", "token-of-the-killed")
    agent.start()
    assert agent.calls("revoke")[0] == "token-of-the-killed|token revoke -self|"


def test_a_token_that_cannot_be_revoked_does_not_change_how_the_agent_ended(agent: StandIn) -> None:
    agent.fails("revoke", refusal(403))
    assert agent.start() == 0
    assert "reason=denied" in agent.read("log")


def test_the_exit_code_is_that_of_the_agent(agent: StandIn) -> None:
    program = agent.read("bin/bao").replace("while :; do sleep 0.05; done", "exit 7")
    agent.write("bin/bao", program).chmod(0o755)
    with agent.starting() as process:
        until(lambda: process.poll() is not None)
    assert process.returncode == 7


def test_no_token_is_in_the_environment_of_the_agent_or_in_any_argument(agent: StandIn) -> None:
    agent.start()
    shown = agent.read("environment") + "".join(
        line.split("|")[2] for line in agent.read("calls").splitlines()
    )
    assert [word for word in ("wrapping-token", "token-of-somebody", "the-secret-id") if word in shown] == []


def test_a_program_that_is_not_there_is_named(agent: StandIn) -> None:
    assert agent.start(PATH="/usr/bin:/bin") == 1
    assert "reason=no_program" in agent.read("log")


DELIVERY = (
    "VAULT_ADDR='http://127.0.0.1:2'\nVAULT_ROLE_ID='delivered-role'\nVAULT_WRAPPED_SECRET_ID='delivered'\n"
)
NO_PLATFORM = {"VAULT_ADDR": "", "VAULT_ROLE_ID": "", "VAULT_WRAPPED_SECRET_ID": ""}


def test_where_no_platform_gives_variables_a_file_does(agent: StandIn) -> None:
    agent.write("cred/delivery", DELIVERY)
    assert agent.start(**NO_PLATFORM) == 0
    assert agent.read("cred/role_id") == "delivered-role"
    assert agent.calls("unwrap") == ["delivered|unwrap -format=table|"]
    seen = agent.read("environment").splitlines()
    assert "VAULT_ADDR=http://127.0.0.1:2" in seen
    assert not [line for line in seen if line.endswith("=delivered")]


def test_a_platforms_variables_come_before_the_file(agent: StandIn) -> None:
    agent.write("cred/delivery", DELIVERY)
    assert agent.start() == 0
    assert agent.read("cred/role_id") == "the-role-id"
    assert agent.calls("unwrap") == ["wrapping-token|unwrap -format=table|"]
    assert "VAULT_ADDR=http://127.0.0.1:1" in agent.read("environment").splitlines()
