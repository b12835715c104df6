"""The health check of an agent, in every shell that its image may have."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plan.agent_stand_in import EACH_SHELL, SHELLS, WHOLE, StandIn, refusal
from tests.waiting import until

DOWN = "Get http://127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused"


@pytest.fixture(params=EACH_SHELL)
def agent(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StandIn]:
    """Give an agent that runs and has rendered its file."""
    stand_in = StandIn(SHELLS[request.param], tmp_path)
    with stand_in.starting():
        until(lambda: stand_in.read("token/.token"))
        stand_in.write("secrets/.env", WHOLE)
        yield stand_in


def heartbeat(agent: StandIn) -> dict[str, str]:
    return dict(line.split("=", 1) for line in agent.read("secrets/.heartbeat").splitlines())


def remembered(agent: StandIn, **changes: str) -> None:
    """Change what earlier checks saw, by the position in their file."""
    names = ("verdict", "logged", "due", "answered", "logged_at")
    words = agent.read("token/.lookup").split()
    for name, value in changes.items():
        words[names.index(name)] = value
    agent.write("token/.lookup", " ".join(words) + "\n")


def ago(seconds: int) -> str:
    return str(int(time.time()) - seconds)


def test_a_whole_file_and_a_known_token_are_healthy_and_leave_a_heartbeat(agent: StandIn) -> None:
    code, said = agent.health()
    assert (code, "state=ok" in said) == (0, True)
    beat = heartbeat(agent)
    moment = time.strptime(beat.pop("time"), "%Y-%m-%dT%H:%M:%SZ")
    assert abs(time.mktime(moment) - time.mktime(time.gmtime())) < 60
    assert beat == {
        "deploy": "d-1",
        "accessor": "the-accessor",
        "token_accessor": "token-accessor",
        "token_expires": "2025-11-22T10:00:00.5Z",
        "token_deploy": "d-1",
    }
    assert stat.S_IMODE((agent.folder / "secrets/.heartbeat").stat().st_mode) == 0o440


@pytest.mark.parametrize("meta", ["<nil>", "map[role_name:x]"])
def test_a_token_without_a_deploy_id_leaves_that_word_empty(agent: StandIn, meta: str) -> None:
    agent.write("lookup", f"accessor  a\nexpire_time  never\nmeta  {meta}\n")
    assert agent.health()[0] == 0
    assert heartbeat(agent)["token_deploy"] == "-"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "file_missing"),
        ("", "empty"),
        ("PASSWORD='<no value>'\n", "no_value"),
        ("OTHER='x'\n", "missing_key:PASSWORD"),
        ("PASSWORD=''\n", "missing_key:PASSWORD"),
        ("PASSWORD='half", "unreadable"),
    ],
)
def test_a_file_that_services_could_not_use_is_unhealthy(
    agent: StandIn, text: str | None, reason: str
) -> None:
    (agent.folder / "secrets/.env").unlink()
    if text is not None:
        agent.write("secrets/.env", text)
    code, said = agent.health()
    assert (code, f"reason={reason} " in said) == (1, True)
    assert (agent.calls("lookup"), heartbeat(agent)) == ([], {})


def test_an_agent_without_a_token_is_unhealthy(agent: StandIn) -> None:
    agent.write("token/.token", "")
    code, said = agent.health()
    assert (code, "reason=no_token" in said) == (1, True)


@pytest.mark.parametrize("said", ["999999999 bao\n", ""])
def test_a_file_of_an_agent_that_ended_or_has_not_begun_is_unhealthy(agent: StandIn, said: str) -> None:
    agent.write("token/.agent", said)
    code, words = agent.health()
    assert (code, "reason=ended" in words) == (1, True)


def test_the_token_is_looked_up_at_most_once_in_the_interval_and_each_check_beats(agent: StandIn) -> None:
    for _ in range(3):
        assert agent.health()[0] == 0
        os.utime(agent.folder / "secrets/.heartbeat", (0, 0))
    assert agent.calls("lookup") == ["token-of-the-agent|token lookup -format=table|"]
    agent.health()
    assert (agent.folder / "secrets/.heartbeat").stat().st_mtime > 0


def test_the_next_look_up_comes_after_the_interval_and_a_tenth_at_most(agent: StandIn) -> None:
    dues = []
    for _ in range(5):
        now = int(time.time())
        agent.health()
        dues.append(int(agent.read("token/.lookup").split()[2]) - now)
        remembered(agent, due="0")
    assert all(300 <= due <= 331 for due in dues)
    assert len(set(dues)) > 1, "agents that started together do not stay together"
    assert len(agent.calls("lookup")) == 5


def test_a_new_token_is_looked_up_at_once(agent: StandIn) -> None:
    agent.health()
    agent.write("token/.token", "token-of-a-new-login")
    agent.health()
    assert [call.partition("|")[0] for call in agent.calls("lookup")] == [
        "token-of-the-agent",
        "token-of-a-new-login",
    ]


def test_a_refused_token_is_unhealthy_at_once_and_stays_so_until_there_is_another(agent: StandIn) -> None:
    agent.health()
    remembered(agent, due="0")
    (agent.folder / "secrets/.heartbeat").unlink()
    agent.fails("lookup", refusal(403))
    assert [agent.health()[0] for _ in range(2)] == [1, 1]
    assert "reason=denied" in agent.health()[1]
    assert (len(agent.calls("lookup")), heartbeat(agent)) == (2, {})
    (agent.folder / "lookup.failure").unlink()
    agent.write("token/.token", "token-of-a-new-login")
    assert agent.health()[0] == 0


@pytest.mark.parametrize(("how", "reason"), [(DOWN, "unreachable"), (refusal(503), "sealed")])
def test_a_server_that_does_not_answer_is_borne_for_an_hour(agent: StandIn, how: str, reason: str) -> None:
    agent.health()
    agent.fails("lookup", how)
    answered = ago(3590)
    remembered(agent, due="0", answered=answered)
    (agent.folder / "secrets/.heartbeat").unlink()
    assert agent.health()[0] == 0
    assert agent.read("token/.lookup").split()[3] == answered, "a failure is no answer"
    assert heartbeat(agent)["token_accessor"] == "token-accessor", "what was known is told on"
    remembered(agent, answered=ago(3600))
    code, said = agent.health()
    assert (code, f"reason={reason}" in said) == (1, True)
    (agent.folder / "lookup.failure").unlink()
    remembered(agent, due="0")
    assert agent.health()[0] == 0, "the first answer makes it healthy again"


def test_the_agents_log_gets_one_line_in_five_minutes(agent: StandIn) -> None:
    agent.fails("lookup", DOWN)
    for _ in range(3):
        assert agent.health()[0] == 0
    assert agent.read("log").count("reason=unreachable") == 1
    remembered(agent, logged_at=ago(299))
    agent.health()
    assert agent.read("log").count("reason=unreachable") == 1
    remembered(agent, logged_at=ago(300))
    agent.health()
    assert agent.read("log").count("reason=unreachable") == 2
