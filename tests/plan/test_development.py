"""Development servers decided: the unit that takes a place, the steps before it, and who comes back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from finance_report import PROJECT
from infra.model.environments import environment
from infra.model.observed import Found, Running
from infra.model.operation import Kind, Operation, Plan
from infra.model.places import Places, Program
from infra.model.unit import DEVELOPMENT, Unit
from infra.plan.development import alone, command_of, from_checkout, take_over
from infra.plan.reconcile import reconcile
from infra.plan.units import Scene, bundle_of
from infra.workspace import templates
from tests.plan.test_reconcile import WANTED, WORLD

APP = PROJECT.service("app")
PARTS = ["backend", "frontend"]
PLACES = Places(
    root="/state/local",
    secrets="/memory/local",
    checkout="c0ffee00",
    bind="127.0.0.1",
    ports={"backend": 8000, "frontend": 3001, "router": 3000},
    programs={"python": Program(("/ours/python",), "python 3")},
    python=("/ours/python",),
    path="/usr/bin:/bin",
    users={},
)
SCENE = Scene(
    project=PROJECT,
    environment=environment("local"),
    places=PLACES,
    templates=templates.load(Path(__file__).resolve().parents[2]),
    release="a" * 40,
    versions={"app": 3},
    public_url="http://127.0.0.1:3000",
    commands={},
)


def unit(name: str) -> Unit:
    return next(one for one in bundle_of(APP, SCENE).units if one.name == name)


def served(name: str) -> Unit:
    part = APP.part(name)
    command = command_of(part, (), "/theirs/python")
    return from_checkout(APP, part, SCENE, "/checkout", command, "/theirs/python")


@pytest.mark.parametrize("name", PARTS)
def test_it_has_the_units_port_environment_and_entry_point_and_runs_from_the_checkout(name: str) -> None:
    own, deployed = served(name), unit(name)
    folder = f"/checkout/{APP.part(name).folder}"
    moved = {"APP_DIR": folder, "PYTHONPATH": folder, "INFRA_PYTHON": "/theirs/python"}
    assert dict(own.environment) == {**dict(deployed.environment), **moved}
    assert (own.port, own.directory, own.files) == (deployed.port, folder, deployed.files)
    assert own.argv[:2] == deployed.argv[:2] or not APP.part(name).entrypoint
    assert "--reload" in own.argv
    assert "--reload" not in deployed.argv
    assert "/theirs/python" in own.argv


def test_a_written_command_stands_in_for_the_declared_one_with_address_and_port() -> None:
    part = APP.part("frontend")
    command = command_of(part, ("npm", "run", "dev", "--", "$BIND:$PORT"), "/theirs/python")
    own = from_checkout(APP, part, SCENE, "/checkout", command, "/theirs/python")
    assert own.argv == ("npm", "run", "dev", "--", "127.0.0.1:3001")


@pytest.mark.parametrize("name", PARTS)
def test_alone_it_knows_no_secret_and_has_mock_providers(name: str) -> None:
    part = APP.part(name)
    own = alone(APP, part, SCENE, "/checkout", command_of(part, (), "/theirs/python"), "/theirs/python")
    variables = dict(own.environment)
    assert variables["PROVIDERS"] == "mock"
    assert (own.argv[0], own.port) == ("/theirs/python", PLACES.ports[name])
    assert not variables.keys() & {"INFRA_SECRETS_FILE", "INFRA_CONFIG_FILE"}


def test_before_it_starts_the_secrets_are_written_and_the_unit_stops_and_nothing_else() -> None:
    kinds: list[Kind] = [
        "generate-secrets",
        "rewrite-derived",
        "write-secrets",
        "store-release",
        "restart-unit",
    ]
    whole = Plan(tuple(Operation(kind, "app", "app", "") for kind in kinds), left_alone=("redis",))
    seen = replace(WORLD, units={"backend": WORLD.units["app"]})
    plan = take_over(whole, seen, "app", "backend")
    assert [(one.kind, one.subject) for one in plan.operations] == [
        ("generate-secrets", "app"),
        ("rewrite-derived", "app"),
        ("write-secrets", "app"),
        ("stop-unit", "backend"),
    ]
    other = Plan((Operation("write-secrets", "redis", "redis", ""),))
    assert take_over(other, replace(WORLD, units={}), "app", "backend").is_empty


def test_the_next_setup_ends_a_development_server_and_puts_the_deployed_unit_back() -> None:
    server = Running("app", "2@1500.0", 1500.0, DEVELOPMENT, "d2", "app")
    steps = reconcile(replace(WORLD, units={**WORLD.units, "app": Found(server)}), WANTED).operations
    assert [str(one) for one in steps if one.kind == "restart-unit"] == [
        "restart unit app: a development server runs in its place, and is ended"
    ]
