"""How long an agent takes from its start to its first rendered file, its credential still wrapped."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import finance_report
from infra.model.environments import environment
from infra.plan.agent import agent_files, policy_text, role_name, secret_path
from infra.workspace import templates
from infra.workspace.vault_program import vault_program
from tests.real.vault_server import Agent, VaultServer, agent_places, running_server

ROOT = Path(__file__).resolve().parent.parent
PROJECT, STAGING = finance_report.PROJECT, environment("staging")
COMES_WITHIN = 30.0


def first_render(runs: int) -> list[float]:
    """Give the seconds of each run, with the unwrapping; each one has a credential of its own."""
    service, texts = PROJECT.service("app"), templates.load(ROOT)
    role = role_name(PROJECT.name, STAGING, service.name)
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        folder = Path(place)
        with running_server(vault_program(ROOT, os.environ), folder) as server:
            server.allow(role, policy_text(service.name, STAGING, PROJECT.name, "secret", texts))
            path = secret_path(PROJECT.name, STAGING, service.name, "secret")
            server.put(path, {spec.key: f"value of {spec.key}" for spec in service.secrets})
            return [_seconds(server, folder / str(number), role) for number in range(runs)]


def _seconds(server: VaultServer, folder: Path, role: str) -> float:
    folder.mkdir()
    service, texts, places = PROJECT.service("app"), templates.load(ROOT), agent_places(folder)
    agent = Agent(server, folder, role, server.role_id(role), server.wrapped(role)["token"])
    agent.write(agent_files(service, STAGING, PROJECT.name, "secret", texts, places))
    began = time.monotonic()
    with agent.running():
        while not agent.rendered():
            if time.monotonic() - began > COMES_WITHIN:
                raise SystemExit(f"the agent rendered nothing: {agent.log[-500:]}")
            time.sleep(0.005)
        return time.monotonic() - began
