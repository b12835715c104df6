"""Which object store an environment has as processes, and what a stack without one leaves out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from finance_report import PROJECT
from infra.model.environments import environment
from infra.model.observed import Observed
from infra.model.unit import Bundle
from infra.plan.reconcile import Wanted, reconcile
from infra.plan.roster import roster, with_foreign_store, with_object_store


@pytest.mark.parametrize(
    ("env", "wish", "has"),
    [
        ("local", "embedded", True),
        ("local", "none", False),
        ("local", "http://127.0.0.1:9000", False),
        ("pr_47", "embedded", True),
        ("canary", "embedded", True),
        ("staging", "embedded", False),
        ("production", "embedded", False),
    ],
)
def test_an_environment_has_a_store_of_its_own_where_both_the_table_and_the_person_say_so(
    env: str, wish: str, has: bool
) -> None:
    services = roster(PROJECT, with_object_store(environment(env), wish), "process")
    assert ("minio" in {one.name for one in services}) == has


def test_somebody_elses_store_needs_its_keys_where_none_of_ours_is_required() -> None:
    keys = {
        spec.key for spec in with_foreign_store(PROJECT).service("app").secrets if spec.required_in("local")
    }
    assert {"S3_ENDPOINT", "S3_BUCKET", "S3_ACCESS_KEY", "S3_SECRET_KEY"} <= keys
    ours = {spec.key for spec in PROJECT.service("app").secrets if spec.required_in("local")}
    assert not any(key.startswith("S3_") for key in ours)


def test_what_is_soft_is_started_after_everything_that_people_wait_for() -> None:
    soft = PROJECT.service("minio")
    services = (soft, PROJECT.service("redis"), replace(PROJECT.service("postgres"), data_version=""))
    bundles = {one.name: Bundle(one.name, (), "", ()) for one in services}
    steps = reconcile(Observed(), Wanted(services, bundles, frozenset(bundles), "1")).operations
    made = [step.service for step in steps if step.kind == "create-data"]
    assert made == ["redis", "minio"]
