"""The four safety layers: each of them alone stops a run, and only what is exactly ours passes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.model import safety
from infra.model.database_mark import Mark, read_mark
from infra.model.errors import Refused
from infra.model.naming import Names
from infra.model.safety import Aim, faults, require_safe

NAMES = Names("finance_report")
MARK = "infra:test:feature_auth:2026-01-02T03:04:05Z"
OURS = Aim(
    environment="local_ci",
    variables={"ENVIRONMENT": "testing", "TESTING": "true"},
    url="postgresql+asyncpg://finance_report_app:pw@localhost:5532/finance_report_test_feature_auth",
    names=NAMES,
    namespace="feature_auth",
    port=5532,
    comments={"finance_report_test_feature_auth": MARK, "finance_report_test_feature_auth_gw0": MARK},
)


def at(address: str) -> Aim:
    return replace(OURS, url=f"postgresql+asyncpg://{address}")


BROKEN = {
    "staging": (0, replace(OURS, environment="staging")),
    "production": (0, replace(OURS, environment="production")),
    "the development environment": (0, replace(OURS, environment="local")),
    "ENVIRONMENT names another one": (
        0,
        replace(OURS, variables={"ENVIRONMENT": "production", "TESTING": "true"}),
    ),
    "TESTING is not said": (0, replace(OURS, variables={"ENVIRONMENT": "testing"})),
    "TESTING is only nearly said": (
        0,
        replace(OURS, variables={"ENVIRONMENT": "testing", "TESTING": "True"}),
    ),
    "production's database": (1, at("u:p@localhost:5532/finance_report")),
    "another checkout's development": (1, at("u:p@localhost:5532/finance_report_dev_feature_auth")),
    "a name that merely contains test": (1, at("u:p@localhost:5532/latest_finance_report")),
    "a name that begins with ours": (1, at("u:p@localhost:5532/finance_report_test_feature_auth_v2")),
    "another namespace": (1, at("u:p@localhost:5532/finance_report_test_feature_aut")),
    "the forge's database": (1, at("u:p@localhost:5532/finance_report_test")),
    "a worker that cannot be": (1, at("u:p@localhost:5532/finance_report_test_feature_auth_gw100")),
    "a name in other letters": (1, at("u:p@localhost:5532/Finance_Report_Test_Feature_Auth")),
    "a foreign host": (2, at("u:p@db.example.test:5532/finance_report_test_feature_auth")),
    "a host that begins with localhost": (2, at("u:p@localhost.evil:5532/finance_report_test_feature_auth")),
    "the job's service outside of a job": (2, at("u:p@postgres:5532/finance_report_test_feature_auth")),
    "a tunnel on another port": (2, at("u:p@localhost:5432/finance_report_test_feature_auth")),
    "no host at all": (2, at("/finance_report_test_feature_auth")),
    "a database without our mark": (
        3,
        replace(OURS, comments={"finance_report_test_feature_auth": None}),
    ),
    "a database with another's mark": (
        3,
        replace(OURS, comments={"finance_report_test_feature_auth": "infra:env:local"}),
    ),
    "a database of another namespace's mark": (
        3,
        replace(OURS, comments={"finance_report_test_feature_auth": MARK.replace("auth", "auth_2")}),
    ),
}
EVASIVE = {
    "options with another host": "localhost:5532/finance_report_test_feature_auth?host=db.example.test",
    "options with another database": "localhost:5532/finance_report_test_feature_auth?dbname=finance_report",
    "two hosts": "localhost,db.example.test:5532/finance_report_test_feature_auth",
    "a fragment": "localhost:5532/finance_report_test_feature_auth#@db.example.test",
    "no port number": "localhost:port/finance_report_test_feature_auth",
}


def test_what_is_exactly_ours_passes_and_gives_leave_for_this_namespace_alone() -> None:
    permit = require_safe(OURS)
    assert len(permit.databases) == 101
    assert permit.databases >= {"finance_report_test_feature_auth", "finance_report_test_feature_auth_gw99"}
    assert "finance_report_test_feature_auth_gw100" not in permit.databases


@pytest.mark.parametrize(("layer", "aim"), BROKEN.values(), ids=BROKEN)
def test_each_layer_alone_stops_a_run(layer: int, aim: Aim) -> None:
    assert [bool(one(aim)) for one in safety.LAYERS] == [number == layer for number in range(4)]
    with pytest.raises(Refused, match="nothing was dropped") as refusal:
        require_safe(aim)
    assert refusal.value.exit_code == 1


@pytest.mark.parametrize("address", EVASIVE.values(), ids=EVASIVE)
def test_an_address_that_says_more_than_its_parts_is_refused(address: str) -> None:
    assert list(faults(at(f"u:p@{address}")))


@pytest.mark.parametrize("scheme", ["mysql", "http", "", "postgresql+other"])
def test_another_protocol_is_refused(scheme: str) -> None:
    assert list(faults(replace(OURS, url=OURS.url.replace("postgresql+asyncpg", scheme))))


def test_a_job_may_use_its_service_and_its_own_database() -> None:
    url = "postgresql://postgres:postgres@postgres/finance_report_test"
    aim = replace(OURS, environment="github_ci", url=url, namespace=None, port=5432, comments={})
    assert list(faults(aim)) == []


def test_all_layers_speak_when_all_are_broken() -> None:
    aim = replace(at("u:p@elsewhere/finance_report"), environment="production", comments={"a": None})
    assert len(list(faults(aim))) == 4


def test_a_mark_is_read_back_and_nothing_else_is_a_mark() -> None:
    mark = Mark("test", "feature_auth", "2026-01-02T03:04:05Z")
    assert read_mark(str(mark)) == mark
    for other in (None, "", "infra:env:local", "infra:test:a", "test:a:b:c", f"x{mark}"):
        assert read_mark(other) is None
