"""Observed and wanted containers to a plan."""

from __future__ import annotations

from dataclasses import replace

from infra.model.observed import Absent, Found, Observed, Running, Sent, Unknown
from infra.model.unit import Bundle
from infra.plan.compose import bundle_of, stamped
from infra.plan.reconcile_containers import WantedContainers, reconcile_containers
from infra.plan.roster import roster
from tests.plan.scenes import scene, unread

AT = scene("staging")
SERVICES = roster(AT.project, AT.environment, AT.target)
BUNDLES = {one.name: bundle_of(one, AT) for one in SERVICES}
WANTED = WantedContainers(SERVICES, BUNDLES, frozenset(BUNDLES))
NOBODY = Unknown("timeout")


def running(bundle: Bundle, digest: str = "") -> dict[str, Found[Running]]:
    return {
        unit.name: Found(Running(unit.name, "c1", 1000.0, digest or bundle.digest, "d1", bundle.service))
        for unit in bundle.units
    }


def sent(bundle: Bundle) -> Found[Sent]:
    return Found(Sent(stamped(bundle.text, bundle.digest, "d1"), f"OTHER=1\n{bundle.env}"))


WORLD = Observed(
    at=5000.0,
    units={name: one for bundle in BUNDLES.values() for name, one in running(bundle).items()},
    sent={name: sent(bundle) for name, bundle in BUNDLES.items()},
    credentials={name: Found("accessor") for name in BUNDLES},
)
EMPTY = Observed(
    units={name: Absent() for name in WORLD.units},
    sent=dict.fromkeys(BUNDLES, Absent()),
    credentials=dict.fromkeys(BUNDLES, Absent()),
)


def words(observed: Observed, wanted: WantedContainers = WANTED) -> list[str]:
    return [f"{step.kind} {step.subject}" for step in reconcile_containers(observed, wanted).operations]


def test_what_runs_as_wanted_needs_no_operation() -> None:
    assert reconcile_containers(WORLD, WANTED).is_empty


def test_an_empty_place_gets_everything_in_the_order_of_needs() -> None:
    each = ["create-compose", "update-compose", "write-env", "deliver-credential", "deploy"]
    assert words(EMPTY) == [
        *(f"{kind} postgres" for kind in each),
        *(f"{kind} redis" for kind in each),
        *(f"{kind} app" for kind in each[:-1]),
        "ensure-database postgres",
        "deploy app",
    ]


def test_the_database_is_made_sure_of_before_the_application_starts() -> None:
    found = words(EMPTY)
    assert (
        found.index("deploy postgres") < found.index("ensure-database postgres") < found.index("deploy app")
    )


def test_a_service_whose_containers_run_another_bundle_is_deployed_and_the_others_are_not() -> None:
    old = replace(WORLD, units={**WORLD.units, **running(BUNDLES["redis"], "e" * 64)})
    assert words(old) == ["deploy redis", "ensure-database postgres"]


def test_a_text_or_an_env_that_somebody_changed_is_written_again() -> None:
    changed = Found(Sent(BUNDLES["redis"].text + "# by hand\n", sent(BUNDLES["redis"]).fact.env))
    assert words(replace(WORLD, sent={**WORLD.sent, "redis": changed}))[0] == "update-compose redis"
    lacking = Found(Sent(BUNDLES["redis"].text, "OTHER=1\n"))
    assert words(replace(WORLD, sent={**WORLD.sent, "redis": lacking}))[0] == "write-env redis"


def test_keys_of_another_owner_in_the_env_are_no_reason_to_write_it() -> None:
    more = Found(Sent(BUNDLES["redis"].text, f"FOREIGN=1\n{BUNDLES['redis'].env}ZZ=2\n"))
    assert reconcile_containers(replace(WORLD, sent={**WORLD.sent, "redis": more}), WANTED).is_empty


def test_what_could_not_be_read_is_never_taken_for_absent() -> None:
    """Its steps are in the plan, and none of them is certain; nothing is created."""
    blind = Observed(
        units=dict.fromkeys(WORLD.units, NOBODY),
        sent=dict.fromkeys(BUNDLES, NOBODY),
        credentials=dict.fromkeys(BUNDLES, NOBODY),
    )
    plan = reconcile_containers(blind, WANTED)
    assert plan.operations
    assert not any(step.is_certain for step in plan.operations)
    assert not any(step.kind in {"create-compose", "create-folder"} for step in plan.operations)
    assert all(str(step).startswith("perhaps ") for step in plan.operations)


def test_an_unknown_digest_makes_the_deploy_uncertain_though_everything_runs() -> None:
    at = unread("staging")
    bundles = {one.name: bundle_of(one, at) for one in SERVICES}
    plan = reconcile_containers(WORLD, replace(WANTED, bundles=bundles))
    assert [step.is_certain for step in plan.operations if step.kind == "deploy"] == [False] * 3


def test_a_need_with_a_pending_change_of_its_own_is_named_and_left_alone() -> None:
    old = replace(WORLD, units={**WORLD.units, **running(BUNDLES["postgres"], "e" * 64)})
    plan = reconcile_containers(old, replace(WANTED, asked=frozenset({"app"})))
    assert (plan.is_empty, plan.left_alone) == (True, ("postgres",))


def test_a_need_that_is_down_is_started_with_what_asks_for_it() -> None:
    gone = {unit.name: Absent() for unit in BUNDLES["redis"].units}
    down = replace(WORLD, units={**WORLD.units, **gone})
    assert words(down, replace(WANTED, asked=frozenset({"app"})))[0] == "deploy redis"


def test_force_deploys_what_was_asked_for_and_nothing_else() -> None:
    forced = replace(WANTED, asked=frozenset({"redis"}), force=True)
    assert words(WORLD, forced) == ["deploy redis", "ensure-database postgres"]


def test_a_container_that_nothing_declares_is_removed() -> None:
    stray = Running("worker", "c9", 1.0, "f" * 64, "d0", "app")
    assert words(replace(WORLD, strangers=(stray,)))[0] == "remove-container worker"


def test_a_container_that_is_unhealthy_past_its_start_period_is_deployed_anew_a_young_one_is_not() -> None:
    sick = replace(WORLD, unhealthy={"backend": "answered 503"})
    assert "deploy app" in words(sick)
    assert reconcile_containers(replace(sick, at=1010.0), WANTED).is_empty


def test_a_plans_id_stands_for_the_world_that_it_was_made_from() -> None:
    """Time does not move it; another bundle, another deploy, an unread fact and another wish do."""
    same = reconcile_containers(replace(WORLD, at=9999.0), WANTED).identity
    later = {
        name: Found(replace(one.fact, started=one.fact.started + 60, identity="c2", restarts=4))
        for name, one in WORLD.units.items()
        if isinstance(one, Found)
    }
    assert reconcile_containers(replace(WORLD, units=later), WANTED).identity == same
    moved = [
        replace(WORLD, units={**WORLD.units, **running(BUNDLES["redis"], "e" * 64)}),
        replace(WORLD, units={**WORLD.units, "redis": NOBODY}),
        replace(WORLD, units={**WORLD.units, "redis": Absent()}),
        replace(WORLD, sent={**WORLD.sent, "app": Absent()}),
        replace(WORLD, credentials={**WORLD.credentials, "app": Found("another")}),
    ]
    found = [reconcile_containers(world, WANTED).identity for world in moved]
    assert len({same, *found}) == len(moved) + 1
    assert found[1] != found[2]
    forced = {**BUNDLES, "redis": replace(BUNDLES["redis"], secret_versions=(("redis", 9),))}
    left_alone = replace(WANTED, bundles=forced, asked=frozenset({"postgres"}))
    assert (
        reconcile_containers(WORLD, left_alone).identity
        != reconcile_containers(WORLD, replace(WANTED, asked=frozenset({"postgres"}))).identity
    )
    unknown = {one.name: bundle_of(one, unread("staging")) for one in SERVICES}
    assert reconcile_containers(WORLD, replace(WANTED, bundles=unknown)).identity != same
