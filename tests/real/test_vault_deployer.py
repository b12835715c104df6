"""Who deploys staging has no other right than the deployer's policy gives, and needs no other."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from infra.model.environments import environment
from infra.plan.agent import role_name
from infra.plan.credentials import role_settings
from infra.plan.deployer import deployer_name, deployer_text
from infra.targets.process import credentials
from tests.real.conftest import Checkout, Done
from tests.real.vault_rehearsal import PROJECT, TEMPLATES, WITH_SECRETS, Rehearsal
from tests.real.vault_server import VaultServer

pytestmark = pytest.mark.real("VT", "PG", "RD", "APP")
HERE = ("--env", "staging", "--target", "process")
STAGING = environment("staging")
ROLES = tuple(role_name(PROJECT.name, STAGING, name) for name in WITH_SECRETS)


class Deployer:
    """A rehearsal whose `vault.dev` gives its commands the token of a deployer; the server is an admin's."""

    def __init__(self, checkout: Checkout) -> None:
        self.rehearsal = Rehearsal(checkout)
        self.server: VaultServer = self.rehearsal.start()
        self.rehearsal.deliver()
        for role in ROLES:
            self.server.must("POST", f"auth/approle/role/{role}", role_settings(role))
        name = deployer_name(PROJECT.name, STAGING)
        text = deployer_text(ROLES, STAGING, PROJECT.name, "secret", TEMPLATES)
        self.server.must("PUT", f"sys/policies/acl/{name}", {"policy": text})
        made = self.server.must("POST", "auth/token/create", {"policies": [name], "ttl": "1h"})
        self.rehearsal.token_file.write_text(made["auth"]["client_token"], encoding="utf-8")

    def run(self, task: str, *words: str) -> Done:
        return self.rehearsal.checkout.run(task, *HERE, *words, "--json")

    def accessors(self, service: str) -> list[str]:
        role = role_name(PROJECT.name, STAGING, service)
        found: list[str] = self.server.must("LIST", f"auth/approle/role/{role}/secret-id")["data"]["keys"]
        return found


@pytest.fixture
def deployer(checkout: Checkout) -> Iterator[Deployer]:
    made = Deployer(checkout)
    yield made
    made.rehearsal.end(signal.SIGTERM)


def test_a_deployer_sets_up_audits_rotates_and_renews_and_is_told_what_takes_an_admin(
    deployer: Deployer,
) -> None:
    done = deployer.run("finance_report.app.setup")
    assert (done.code, done.json["outcome"]) == (0, "deployed"), done.err
    assert deployer.run("finance_report.app.setup").json["outcome"] == "nothing to do"
    _renews_what_is_due(deployer)
    _audits_and_rotates(deployer)
    _is_told_what_takes_an_admin(deployer)


def _renews_what_is_due(deployer: Deployer) -> None:
    due = ("vault.setup-tokens", "--due")
    first = deployer.run(*due)  # blanks the wrapped tokens: they have done their work
    assert first.code == 0, first.err
    quiet = deployer.run(*due)
    assert (quiet.code, quiet.json["outcome"]) == (0, "nothing to do"), quiet.out
    (old,) = deployer.accessors("redis")
    role = role_name(PROJECT.name, STAGING, "redis")
    path = f"auth/approle/role/{role}/secret-id-accessor/destroy"
    deployer.server.must("POST", path, {"secret_id_accessor": old})
    done = deployer.run(*due)
    assert done.code == 0, done.err
    results = {one["service"]: one["result"] for one in done.json["facts"]["targets"]}
    assert results == {"postgres": "nothing to do", "redis": "done", "app": "nothing to do"}
    (new,) = deployer.accessors("redis")
    beat = credentials.heartbeat(deployer.rehearsal.places, "redis")
    assert beat is not None
    assert (beat.accessor, new != old) == (new, True)


def _audits_and_rotates(deployer: Deployer) -> None:
    path = deployer.rehearsal.path_of("redis")
    old = deployer.server.must("GET", path)["data"]["data"]["PASSWORD"]
    done = deployer.run("vault.rotate", "--service", "redis", "--key", "PASSWORD")
    assert (done.code, done.json["outcome"]) == (0, "rotated"), done.err
    assert deployer.server.must("GET", path)["data"]["data"]["PASSWORD"] != old
    for task in ("vault.check", "vault.keys", "vault.status"):
        done = deployer.run(task)
        assert done.code == 0, (task, done.out)
    rows = deployer.run("vault.check").json["facts"]["rows"]
    skipped = [row["detail"] for row in rows if row["state"] == "skipped" and row["number"] == 1]
    assert len(skipped) == 2
    assert all("an admin's may" in one for one in skipped)


def _is_told_what_takes_an_admin(deployer: Deployer) -> None:
    server, role = deployer.server, role_name(PROJECT.name, STAGING, "app")
    before = deployer.accessors("app")
    server.must("PUT", f"sys/policies/acl/{role}", {"policy": "# another text"})
    server.must("DELETE", "sys/audit/file")
    asked = {
        ("vault.setup-tokens", "--due"): ("update", f"sys/policies/acl/{role}"),
        ("vault.audit-enable",): ("update", "sys/audit/file"),
    }
    for words, (capability, path) in asked.items():
        done = deployer.run(*words)
        assert done.code == 2, done.out
        (error,) = done.json["errors"]
        assert (error["kind"], path in error["message"], capability in error["message"]) == (
            "denied",
            True,
            True,
        ), error
        assert error["next"]
    assert deployer.accessors("app") == before
