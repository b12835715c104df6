"""An environment that runs elsewhere: its Vault answers from here, its target does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.model.environments import environment
from infra.plan.deployer import deployer_name, deployer_text
from infra.workspace import templates
from tests.real.conftest import ROOT, Checkout, Done
from tests.real.vault_program import vault_program
from tests.real.vault_server import ROOT_TOKEN, VaultServer, running_server

pytestmark = pytest.mark.real("VT")

PUT = ("vault.put", "--service", "app", "--key", "OPENROUTER_API_KEY")
VALUE = "sk-or-v1-0123456789abcdef"
POSTGRES = {"POSTGRES_PASSWORD": "p" * 32, "APP_PASSWORD": "a" * 32}
REDIS = {"PASSWORD": "r" * 32}
LOGIN = f"finance_report_app:{'a' * 32}"
APP = {
    "DATABASE_URL": f"postgresql+asyncpg://{LOGIN}@finance_report-postgres-staging:5432/finance_report",
    "REDIS_URL": f"redis://:{'r' * 32}@finance_report-redis-staging:6379/0",
    "S3_BUCKET": "finance-report-staging",
    "S3_ENDPOINT": "https://minio.example.test",
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[VaultServer]:
    with running_server(vault_program(), tmp_path) as running:
        yield running


def ask(
    checkout: Checkout, server: VaultServer, *words: str, stdin: str = "", token: str = ROOT_TOKEN
) -> Done:
    variables = {"VAULT_ADDR": server.address, "VAULT_TOKEN": token}
    return checkout.run(*words, stdin=stdin, **variables)


def fill(server: VaultServer, env: str = "staging") -> None:
    for service, values in (("postgres", POSTGRES), ("redis", REDIS), ("app", APP)):
        server.put(f"secret/data/finance_report/{env}/{service}", values)


def rows_of(done: Done) -> dict[tuple[int, str], dict[str, Any]]:
    return {(row["number"], row["subject"]): row for row in done.json["facts"]["rows"]}


def test_an_operators_key_is_put_where_production_keeps_it_and_only_with_consent(
    checkout: Checkout, server: VaultServer
) -> None:
    alone = ask(checkout, server, *PUT, "--env", "production", stdin=VALUE)
    assert alone.code == 2
    assert "--yes" in alone.err
    put = ask(checkout, server, *PUT, "--env", "production", "--yes", stdin=VALUE)
    assert put.code == 0, put.err
    held = server.must("GET", "secret/data/finance_report/production/app")["data"]["data"]
    assert held == {"OPENROUTER_API_KEY": VALUE}
    listed = ask(checkout, server, "vault.keys", "--env", "production", "--json")
    found = {f"{row['service']} {row['key']}": row for row in listed.json["facts"]["keys"]}
    assert listed.code == 1, "the generated keys are not there yet"
    assert (found["app OPENROUTER_API_KEY"]["state"], found["app DATABASE_URL"]["state"]) == (
        "present",
        "missing",
    )
    assert found["app OPENROUTER_API_KEY"]["on an old value"] == "unknown"
    assert VALUE not in put.out + put.err + listed.out + listed.err


def test_the_audit_answers_what_the_server_knows_and_says_what_it_cannot_ask(
    checkout: Checkout, server: VaultServer
) -> None:
    fill(server)
    server.put("secret/data/finance_report/staging/app", {**APP, "REDIS_URL": "redis://:x@elsewhere:6379/0"})
    done = ask(checkout, server, "vault.check", "--env", "staging", "--json")
    rows = rows_of(done)
    assert done.code == 1
    assert rows[1, "app"]["state"] == rows[2, "app"]["state"] == rows[11, ""]["state"] == "fail"
    assert rows[3, "app"]["detail"] == "missing: OPENROUTER_API_KEY, S3_ACCESS_KEY, S3_SECRET_KEY"
    assert rows[4, "app"]["state"] == "fail"
    assert "REDIS_URL" in rows[4, "app"]["detail"]
    assert {rows[number, ""]["detail"] for number in (5, 6, 7, 8, 9, 10, 12, 13)} == {
        "this version cannot ask dokploy"
    }
    assert json.dumps(done.json).count("elsewhere") == 0


def test_without_a_name_the_status_is_that_of_all_deployed_environments(
    checkout: Checkout, server: VaultServer
) -> None:
    fill(server)
    done = ask(checkout, server, "vault.status", "--json")
    rows = done.json["facts"]["credentials"]
    assert done.code == 1, "no agent has a credential"
    assert {(row["environment"], row["service"]) for row in rows} == {
        (env, service) for env in ("staging", "production") for service in ("postgres", "redis", "app")
    }
    assert done.json["facts"]["server"]["state"] == "active"


def test_a_deployer_of_staging_sees_staging_and_is_refused_production(
    checkout: Checkout, server: VaultServer
) -> None:
    staging = environment("staging")
    roles = tuple(f"finance_report-staging-{name}" for name in ("postgres", "redis", "app"))
    name = deployer_name("finance_report", staging)
    text = deployer_text(roles, staging, "finance_report", "secret", templates.load(ROOT))
    server.must("PUT", f"sys/policies/acl/{name}", {"policy": text})
    made = server.must("POST", "auth/token/create", {"policies": [name], "ttl": "1h"})
    token = str(made["auth"]["client_token"])
    fill(server)
    assert ask(checkout, server, *PUT, "--env", "staging", stdin=VALUE, token=token).code == 0
    refused = ask(checkout, server, *PUT, "--env", "production", "--yes", stdin=VALUE, token=token)
    assert refused.code == 2
    assert "secret/data/finance_report/production/app" in refused.err


@pytest.mark.parametrize("task", ["vault.keys", "vault.check", "vault.status"])
def test_who_is_refused_and_who_gets_no_answer_is_told_apart(
    checkout: Checkout, server: VaultServer, task: str
) -> None:
    denied = ask(checkout, server, task, "--env", "staging", "--json", token="s.nobody")
    assert (denied.code, denied.json["errors"][0]["kind"]) == (2, "denied")
    silent = checkout.run(
        task, "--env", "staging", "--json", VAULT_ADDR="http://127.0.0.1:9", VAULT_TOKEN="s.nobody"
    )
    assert (silent.code, silent.json["errors"][0]["kind"]) == (2, "unreachable")


def test_what_needs_the_target_says_so_and_changes_nothing(checkout: Checkout, server: VaultServer) -> None:
    fill(server)
    for words in (
        ("vault.rotate", "--env", "staging", "--service", "redis"),
        ("vault.setup-tokens", "--project=finance_report", "--env", "staging"),
    ):
        done = ask(checkout, server, *words)
        assert done.code == 2, words
        assert "--target process" in done.err
    assert server.must("GET", "secret/metadata/finance_report/staging/redis")["data"]["current_version"] == 1
    assert server.call("GET", "sys/policies/acl/finance_report-staging-app").status_code == 404
