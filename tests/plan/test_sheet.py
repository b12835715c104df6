"""All that is computed of an environment, with where it comes from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.model.hosts import AppDomain
from infra.model.passed import Passed
from infra.plan.sheet import Sources, passed_rows, sheet
from tests.plan.scenes import EVERY, scene

NOTHING_WRITTEN = Sources({})


def facts(name: str, sources: Sources = NOTHING_WRITTEN) -> dict[tuple[str, str], tuple[str, str]]:
    return {(row.kind, row.name): (row.value, row.source) for row in sheet(scene(name), sources)}


@pytest.mark.parametrize("name", EVERY)
def test_every_fact_has_a_value_and_says_where_it_comes_from(name: str) -> None:
    rows = sheet(scene(name), NOTHING_WRITTEN)
    assert all(all(row) for row in rows)
    assert len({(row.kind, row.name) for row in rows}) == len(rows)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "staging",
            {
                ("address", "host"): "report-staging.app.test",
                ("address", "platform domain"): "platform.test",
                ("container", "backend"): "finance_report-backend-staging",
                ("data folder", "redis"): "/data/finance_report/redis-staging",
                ("limit", "health deadline"): "360 s",
                ("store", "bucket"): "finance-report-staging",
                ("policy and role", "app"): "finance_report-staging-app",
                ("secrets", "app"): "secret/data/finance_report/staging/app",
            },
        ),
        (
            "pr_47",
            {
                ("address", "url"): "https://report-pr-47.app.test",
                ("container", "minio"): "finance_report-minio-pr-47",
                ("network", "internal"): "finance_report-internal-pr-47",
                ("policy and role", "app"): "finance_report-preview-app",
                ("environment", "telemetry tag"): "pr-47",
            },
        ),
        (
            "local",
            {
                ("address", "url"): "http://127.0.0.1:3000",
                ("container", "postgres"): "finance-report-db",
                ("port", "postgres"): "127.0.0.1:5432",
            },
        ),
    ],
)
def test_the_facts_are_those_of_the_environment(name: str, expected: dict[tuple[str, str], str]) -> None:
    found = facts(name)
    assert {key: found[key][0] for key in expected} == expected


def test_a_written_setting_is_named_with_its_line_and_the_other_ones_as_defaults() -> None:
    written = Sources({"app_domain": "invoke.local.yaml line 3", "vault/mount": "invoke.yaml line 9"})
    found = facts("staging", written)
    assert found["address", "host"][1] == "app_domain, invoke.local.yaml line 3"
    assert found["secrets", "app"][1] == "vault/mount, invoke.yaml line 9"
    assert found["data folder", "postgres"][1] == "containers/data_root, default"
    assert facts("staging")["address", "host"][1] == "internal_domain, default"


def test_the_applications_domain_never_reaches_the_platform() -> None:
    other = replace(scene("production"), app_domain=AppDomain("elsewhere.test"))
    rows = {(row.kind, row.name): row.value for row in sheet(other, NOTHING_WRITTEN)}
    assert rows["address", "host"] == "report.elsewhere.test"
    assert rows["address", "platform domain"] == "platform.test"


def test_variables_that_are_let_through_are_shown_by_name_and_never_with_a_value() -> None:
    rows = passed_rows(
        Passed({"FEATURE": "hidden"}, ("GONE",)), Sources({"app/environment": "invoke.yaml line 7"})
    )
    assert [tuple(row) for row in rows] == [
        ("variable", "FEATURE", "from the shell of who deploys", "app/environment, invoke.yaml line 7"),
        ("variable", "GONE", "not set here", "app/environment, invoke.yaml line 7"),
    ]
