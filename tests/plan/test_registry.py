"""A service that one project declares appears everywhere by itself: the engine holds no list of its own."""

from __future__ import annotations

from pathlib import Path

import yaml

from infra.model.environments import environment
from infra.model.observed import Absent, Observed
from infra.model.places import Places, Program
from infra.plan import units
from infra.plan.agent import policy_text, role_name
from infra.plan.compose import bundle_of
from infra.plan.reconcile import Wanted, reconcile
from infra.plan.reconcile_containers import WantedContainers, reconcile_containers
from infra.plan.reference import pages
from infra.plan.roster import roster
from infra.plan.route_match import match
from infra.plan.sheet import Sources, sheet
from infra.verify.smoke_profiles import load_profile
from tasks.project import collection_of
from tests.plan.scenes import ROOT, scene
from tests.shop.project import PROJECT

AT = scene("staging", PROJECT)
BUNDLES = {one.name: bundle_of(one, AT) for one in roster(PROJECT, AT.environment, AT.target)}


def test_it_has_every_task_that_other_services_have() -> None:
    names = set(collection_of(PROJECT).task_names)
    assert {f"search.{one}" for one in ("plan", "render", "setup", "status", "logs", "rollback")} <= names


def test_it_is_in_the_plan_of_containers_before_what_needs_it() -> None:
    empty = Observed(units={unit.name: Absent() for one in BUNDLES.values() for unit in one.units})
    services = roster(PROJECT, AT.environment, AT.target)
    plan = reconcile_containers(empty, WantedContainers(services, BUNDLES, frozenset(BUNDLES)))
    assert [step.subject for step in plan.operations if step.kind == "deploy"] == ["search", "shop"]


def test_it_is_in_the_plan_of_processes_with_its_port_its_data_and_its_secrets() -> None:
    places = Places(
        root="/state",
        secrets="/memory",
        checkout="c",
        bind="127.0.0.1",
        ports={"search": 7700, "web": 8080, "router": 3000},
        programs={"python": Program(("/usr/bin/python3",), "python 3")},
        python=("/usr/bin/python3",),
        path="/usr/bin",
        users={},
    )
    at = units.Scene(
        PROJECT, environment("local"), places, AT.templates, "d" * 40, {"search": 1}, "http://x", {}
    )
    bundles = {one.name: units.bundle_of(one, at) for one in PROJECT.services}
    wanted = Wanted(PROJECT.services, bundles, frozenset(bundles), keeper="v1")
    empty = Observed(
        units={"search": Absent(), "web": Absent()},
        folders={"search": Absent()},
    )
    found = [f"{step.kind} {step.subject}" for step in reconcile(empty, wanted).operations]
    assert (
        found.index("create-data search") < found.index("start-unit search") < found.index("start-unit web")
    )
    unit = bundles["search"].units[0]
    assert (unit.port, unit.argv[-3:]) == (7700, ("7700", "--bind", "127.0.0.1"))
    assert dict(unit.environment)["INFRA_SECRETS_FILE"] == "/memory/search/.env"


def test_it_has_a_policy_a_role_an_agent_and_a_health_check_of_its_own() -> None:
    policy = policy_text("search", AT.environment, "shop", "secret", AT.templates)
    assert '"secret/data/shop/staging/search"' in policy
    assert role_name("shop", AT.environment, "search") == "shop-staging-search"
    parsed = yaml.safe_load(BUNDLES["search"].text)["services"]
    assert list(parsed) == ["shop-search-vault-agent-staging", "shop-search-staging"]
    assert parsed["shop-search-staging"]["healthcheck"]["test"][:3] == ["CMD", "sh", "-c"]


def test_it_is_in_the_smoke_profile_the_routes_the_documents_and_the_facts() -> None:
    assert load_profile("shop", ROOT / "tests").rows
    route = match(PROJECT.routes, "/anything")
    assert route is not None
    assert route.part == "web"
    written = pages(PROJECT, [environment("local"), environment("staging")])["services.md"]
    assert "## search" in written
    assert "`MASTER_KEY`" in written
    names = {row.value for row in sheet(AT, Sources({}))}
    assert {"shop-search-staging", "/data/shop/search-staging", "shop-staging-search"} <= names


def test_no_line_of_the_engine_names_it() -> None:
    lines = [line for file in Path(ROOT / "infra").rglob("*.py") for line in file.read_text().splitlines()]
    assert not [line for line in lines if "meili" in line or "MASTER_KEY" in line or '"search"' in line]
