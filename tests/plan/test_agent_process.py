"""An agent as a process: first in its service's bundle, private, and told nothing secret."""

from __future__ import annotations

from dataclasses import replace

import pytest

import finance_report
from infra.model.environments import environment
from infra.model.places import Places, Program
from infra.model.unit import Bundle
from infra.plan import units
from infra.plan.agent_process import agent_places
from infra.plan.roster import roster
from infra.workspace import templates
from tasks.root import ROOT

PROJECT = finance_report.PROJECT
PORTS = {name: 1000 for service in PROJECT.services for part in service.parts for name in part.ports}
PROGRAMS = {part.program: Program(("/bin/x",), "x 1") for one in PROJECT.services for part in one.parts}
PLACES = Places(
    root="/state/staging",
    secrets="/memory/staging",
    checkout="c",
    bind="127.0.0.1",
    ports=PORTS,
    programs={**PROGRAMS, "vault": Program(("/opt/vault",), "vault 1.21.0")},
    python=("/usr/bin/python3",),
    path="/usr/bin:/bin",
    users={},
)
SCENE = units.Scene(
    project=PROJECT,
    environment=environment("staging"),
    places=PLACES,
    templates=templates.load(ROOT),
    release="d" * 40,
    versions={"app": 3},
    public_url="http://127.0.0.1:1",
    commands={},
    vault_mount="secret",
)
HERE = roster(PROJECT, SCENE.environment, "process")


def bundle(name: str, scene: units.Scene = SCENE) -> Bundle:
    return units.bundle_of(PROJECT.service(name), scene)


@pytest.mark.parametrize("name", [one.name for one in HERE if one.secrets])
def test_the_agent_comes_first_and_every_other_unit_of_its_service_waits_for_it(name: str) -> None:
    agent, *others = bundle(name).units
    assert agent.name == f"{name}-vault-agent"
    assert agent.needs == ()
    assert [one.needs[0] for one in others] == [agent.name] * len(PROJECT.service(name).parts)


def test_a_service_without_secrets_and_a_scene_without_vault_have_no_agent() -> None:
    assert [one.name for one in bundle("router").units] == ["router"]
    plain = bundle("app", replace(SCENE, vault_mount=""))
    assert [one.name for one in plain.units] == ["backend", "frontend"]
    assert not any("agent" in need for one in plain.units for need in one.needs)


def test_the_entry_point_runs_the_program_with_the_rendered_configuration() -> None:
    agent = bundle("app").units[0]
    folder = "/state/staging/run/app-vault-agent"
    assert agent.argv == (
        *("/bin/sh", f"{folder}/entrypoint.sh", "/opt/vault", "agent"),
        f"-config={folder}/vault-agent.hcl",
    )
    assert (agent.program, agent.port, agent.health.probe) == ("vault 1.21.0", 0, "agent")


def test_neither_server_nor_role_nor_credential_is_part_of_the_unit() -> None:
    """They reach it by a file, so that a new credential is no new bundle."""
    agent = bundle("app").units[0]
    assert not [key for key, _ in agent.environment if key.startswith("VAULT")]
    assert dict(agent.environment)["INFRA_SECRETS_FILE"] == "/memory/staging/app/.env"


def test_what_it_renders_is_for_its_user_alone() -> None:
    agent = bundle("app").units[0]
    texts = {file.name: file.text for file in agent.files}
    config = texts["vault-agent.hcl"]
    assert config.count('perms                = "0400"') == 2
    assert "user " not in config
    assert "group " not in config
    assert 'chmod 0400 "$heartbeat.new"' in texts["health.sh"]


def test_secrets_and_token_are_in_memory_and_the_credential_lies_in_the_state_folder() -> None:
    where = agent_places("app", PLACES)
    assert (where.secrets, where.token) == ("/memory/staging/app", "/memory/staging/vault-token/app")
    assert where.credential == "/state/staging/credentials/app"


def test_a_new_version_of_the_secrets_is_a_new_bundle_of_agent_and_readers() -> None:
    assert bundle("app").digest != bundle("app", replace(SCENE, versions={"app": 4})).digest
