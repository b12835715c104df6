"""Staging and production, tried on this machine beside each other."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.real.conftest import Checkout

pytestmark = pytest.mark.real
BOTH = ("staging", "production")


def ports(checkout: Checkout, env: str) -> dict[str, int]:
    found: dict[str, int] = json.loads(
        (checkout.home_of_state / env / "ports.json").read_text(encoding="utf-8")
    )
    return found


def backend_of(checkout: Checkout, env: str) -> dict[str, str]:
    """Give the environment of the live backend of a rehearsal, read from its process."""
    found = checkout.processes()["backend"]
    environments = [process.environ() for process in found]
    return next(one for one in environments if one["INFRA_ENV"] == env)


def health(checkout: Checkout, env: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{ports(checkout, env)['router']}/api/health") as answer:
        found: dict[str, Any] = json.loads(answer.read())
        return found


def secrets_of(checkout: Checkout, env: str) -> str:
    return Path(backend_of(checkout, env)["INFRA_SECRETS_FILE"]).read_text(encoding="utf-8")


def test_two_environments_are_rehearsed_beside_each_other_and_share_nothing(checkout: Checkout) -> None:
    for env in BOTH:
        done = checkout.run("finance_report.app.setup", "--env", env, "--target", "process", "--json")
        assert done.code == 0, done.err
        assert done.json["facts"]["rehearsal"] is True
        assert done.json["facts"]["left_out"] == [
            *(f"app/{key}" for key in ("S3_ENDPOINT", "S3_BUCKET", "S3_ACCESS_KEY", "S3_SECRET_KEY")),
            "app/OPENROUTER_API_KEY",
        ]
        assert "it is no deploy of it" in done.err
        assert "healthy for 10 s" in done.err
    numbers = [set(ports(checkout, env).values()) for env in BOTH]
    assert not numbers[0] & numbers[1]
    for env in BOTH:
        assert health(checkout, env)["status"] == "healthy"
        assert backend_of(checkout, env)["ENV"] == env
        assert backend_of(checkout, env)["INFRA_SERVER_SECONDS"] == "60"
        asked = checkout.run("finance_report.app.history", "--env", env, "--target", "process", "--json")
        assert [one["rehearsal"] for one in asked.json["facts"]["records"]] == [True]
    limits = [backend_of(checkout, env)["INFRA_MIGRATION_SECONDS"] for env in BOTH]
    assert limits == ["180", "120"]
    assert secrets_of(checkout, "staging") != secrets_of(checkout, "production")
    _the_database_of_one_refuses_the_code_of_the_other(checkout)
    _destroying_one_leaves_the_other(checkout)


def _the_database_of_one_refuses_the_code_of_the_other(checkout: Checkout) -> None:
    marker = (
        "select shobj_description(oid, 'pg_database') from pg_database where datname = current_database()"
    )
    asked = {
        env: checkout.run(
            "finance_report.postgres.shell", "--env", env, "--target", "process", stdin=f"\\t\n{marker};\n"
        ).out
        for env in BOTH
    }
    assert "infra:env:staging" in asked["staging"]
    assert "infra:env:production" in asked["production"]


def _destroying_one_leaves_the_other(checkout: Checkout) -> None:
    """A rehearsal of production is gone by --yes: it is not production."""
    before = {process.pid for many in checkout.processes().values() for process in many}
    gone = checkout.run("finance_report.destroy", "--env", "production", "--target", "process", "--yes")
    assert gone.code == 0, gone.err
    left = {process.pid for many in checkout.processes().values() for process in many}
    assert left < before
    assert {psutil.Process(pid).environ()["INFRA_ENV"] for pid in left} == {"staging"}
    assert health(checkout, "staging")["status"] == "healthy"
    smoke = checkout.run("smoke", "--env", "staging", "--target", "process", "--json")
    assert (smoke.code, smoke.json["facts"]["target"]) == (
        0,
        f"http://127.0.0.1:{ports(checkout, 'staging')['router']}",
    )


def test_an_environment_that_runs_elsewhere_is_never_taken_for_its_rehearsal(checkout: Checkout) -> None:
    """Without the target it is the real one that is meant, which this version cannot ask."""
    for words in (
        ("finance_report.status",),
        ("finance_report.app.setup",),
        ("finance_report.destroy", "--yes"),
    ):
        done = checkout.run(*words, "--env", "staging")
        assert (done.code, "this version cannot ask target dokploy" in done.err) == (2, True)
    assert not (checkout.home_of_state / "staging").exists()
