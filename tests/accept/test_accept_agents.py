"""What a store's own agent writes, seen with the real agent and a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import finance_report
from infra.model import dotenv
from infra.model.environments import environment
from infra.model.hostile import HOSTILE
from infra.plan import agent as plan
from infra.workspace import templates
from tasks.root import ROOT
from tests.real.vault_program import vault_program
from tests.real.vault_server import Agent, VaultServer, agent_places, running_server
from tests.waiting import until

pytestmark = pytest.mark.real("VT")

PROJECT, STAGING = finance_report.PROJECT, environment("staging")
KEYS = {"postgres": {"APP_PASSWORD", "POSTGRES_PASSWORD"}, "redis": {"PASSWORD"}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultServer]:
    with running_server(vault_program(), tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.mark.parametrize("name", KEYS)
def test_a_store_gets_exactly_its_declared_keys_with_the_bytes_that_were_stored(
    server: VaultServer, tmp_path: Path, name: str
) -> None:
    service, texts = PROJECT.service(name), templates.load(ROOT)
    role = plan.role_name(PROJECT.name, STAGING, name)
    server.allow(role, plan.policy_text(name, STAGING, PROJECT.name, "secret", texts))
    files = plan.agent_files(service, STAGING, PROJECT.name, "secret", texts, agent_places(tmp_path))
    for turn in HOSTILE:
        values = {key: HOSTILE[turn] + key for key in KEYS[name]}
        server.put(plan.secret_path(PROJECT.name, STAGING, name, "secret"), {**values, "FOREIGN": "unread"})
        wrapped = server.wrapped(role)["token"]
        (tmp_path / "secrets/.env").unlink(missing_ok=True)
        agent = Agent(server, tmp_path, role, server.role_id(role), wrapped)
        agent.write(files)
        with agent.running():
            until(agent.rendered)
        assert dotenv.parse(agent.rendered()) == values, turn
