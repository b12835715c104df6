"""`vault.status`, `vault.audit-enable` and `vault.render` against a real server, with real agents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from infra.model.environments import environment
from infra.model.errors import CannotTell, Denied, KnownBad, Sealed, Unreachable
from infra.model.secret import Secret
from infra.model.verdict import Outcome
from infra.plan import credentials as rules
from infra.plan.agent import secret_path
from infra.store.vault.client import VaultClient
from infra.store.vault.server import BY_FILE_ONLY, Server
from infra.vault import audit, opened, render, status
from tests.real.vault_custody import PROJECT, SERVICES, Yard, as_json, targets, yard_of
from tests.real.vault_program import vault_program
from tests.real.vault_server import SealableServer, VaultServer, running_server, sealable_server
from tests.waiting import until

pytestmark = pytest.mark.real("VT")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[VaultServer]:
    with running_server(vault_program(), tmp_path) as running:
        yield running


@pytest.fixture
def yard(server: VaultServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Yard]:
    with yard_of(server, monkeypatch) as made:
        made.open("staging")
        yield made


def standing(yard: Yard) -> Outcome:
    """Give what `vault.status` tells."""
    this = yard.command("vault.status")
    status.show(this, [opened.custody_of(this, PROJECT, "staging", "process")])
    return this.outcome


def deployer(yard: Yard) -> str:
    """Give the token of somebody who deploys staging."""
    name, _ = yard.custody("staging").deployer()
    made = yard.server.must("POST", "auth/token/create", {"policies": [name], "ttl": "1h"})
    return str(made["auth"]["client_token"])


def test_each_agent_is_listed_with_age_life_and_last_login(
    yard: Yard, capsys: pytest.CaptureFixture[str]
) -> None:
    assert yard.setup("staging").exit_code == 0
    capsys.readouterr()
    facts = standing(yard).facts
    assert facts["server"]["state"] == "active"
    assert [(row["service"], row["left"], row["state"]) for row in facts["credentials"]] == [
        (name, "31 days", "ok") for name in SERVICES
    ]
    said = capsys.readouterr().out
    for name in SERVICES:
        assert yard.shown("staging", name) in said
    assert all(row["last login"].startswith("20") for row in facts["credentials"])


def test_the_alarm_comes_before_the_end_and_a_renewal_ends_it(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "SETTINGS", {**rules.SETTINGS, "secret_id_ttl": 4})
    assert yard.setup("staging").exit_code == 0
    with pytest.raises(KnownBad) as early:
        standing(yard)
    assert "its credential ends in" in early.value.message
    assert early.value.next_step.endswith(
        "vault.setup-tokens --project=finance_report --env staging --target process"
    )

    def has_expired() -> bool:
        try:
            standing(yard)
        except KnownBad as late:
            return all("has expired" in one for one in (late.message, *late.evidence))
        return False

    until(has_expired, 15)
    monkeypatch.undo()
    with monkeypatch.context() as again:
        again.setattr("infra.deploy.setup", yard.redeploy)
        renewed = yard.setup("staging")
    assert renewed.exit_code == 0
    steps = [step for one in renewed.facts["targets"] for step in one["steps"]]
    assert sum("write role" in step and "secret_id_ttl differ" in step for step in steps) == len(SERVICES)
    assert sum("it expired at" in step for step in steps) == len(SERVICES)
    standing(yard)
    for name in SERVICES:
        assert yard.accessors("staging", name) == [yard.shown("staging", name)]


def test_a_service_without_a_credential_is_an_alarm(yard: Yard) -> None:
    with pytest.raises(KnownBad, match="it has no credential"):
        standing(yard)


def test_who_deploys_sees_the_status_and_renews_what_is_due_while_nothing_else_changes(yard: Yard) -> None:
    assert yard.setup("staging").exit_code == 0
    yard.open("staging", token=deployer(yard))
    standing(yard)
    due = yard.setup("staging", due=True)
    assert (due.exit_code, due.outcome) == (0, "nothing to do")
    assert yard.setup("staging", service="redis").exit_code == 0
    role = yard.role("staging", "redis")
    yard.server.must("POST", f"auth/approle/role/{role}", {"token_ttl": "1h"})
    before = yard.accessors("staging", "redis")
    refused = yard.setup("staging", service="redis")
    assert (refused.exit_code, targets(refused)) == (2, {"staging/redis": "unknown"})
    assert refused.errors[0]["kind"] == "denied"
    assert f"update is needed on auth/approle/role/{role}" in refused.errors[0]["message"]
    assert yard.accessors("staging", "redis") == before


def test_who_could_not_end_the_old_credential_makes_no_new_one(yard: Yard) -> None:
    assert yard.setup("staging").exit_code == 0
    name, text = yard.custody("staging").deployer()
    yard.server.must(
        "PUT", f"sys/policies/acl/{name}", {"policy": text.replace("accessor/destroy", "accessor/no")}
    )
    yard.open("staging", token=deployer(yard))
    yard.calls.made.clear()
    refused = yard.setup("staging", service="redis")
    assert refused.exit_code == 2
    path = f"auth/approle/role/{yard.role('staging', 'redis')}/secret-id"
    assert f"update is needed on {path}-accessor/destroy" in refused.errors[0]["message"]
    assert f"POST {path}" not in yard.calls.made
    assert yard.deployed == [f"staging/{one}" for one in SERVICES]


def test_a_token_that_ends_too_soon_or_may_nothing_changes_nothing(yard: Yard) -> None:
    short = yard.server.must("POST", "auth/token/create", {"ttl": "299s"})["auth"]["client_token"]
    poor = yard.server.must("POST", "auth/token/create", {"policies": ["default"], "ttl": "1h"})["auth"]
    for token, words in ((short, "your token ends in 29"), (poor["client_token"], "is needed on")):
        yard.open("staging", token=token)
        run = yard.setup("staging", service="redis")
        assert run.exit_code == 2
        assert words in run.errors[0]["message"]
    assert not yard.server.call("GET", f"auth/approle/role/{yard.role('staging', 'redis')}").ok


def test_a_root_token_is_taken_with_a_warning(yard: Yard, capsys: pytest.CaptureFixture[str]) -> None:
    yard.setup("staging", dry_run=True)
    assert "this is a root token" in capsys.readouterr().err


def test_nobody_who_answers_is_unknown_and_a_bad_token_is_denied(yard: Yard) -> None:
    yard.open("staging", token="hvs.nobody-has-this-one")
    with pytest.raises(Denied):
        standing(yard)
    this = yard.command()
    custody = opened.custody_of(this, PROJECT, "staging", "process")
    gone = VaultClient("http://127.0.0.1:1", Secret("t"), pause=0.01)
    with pytest.raises(Unreachable):
        status.show(this, [replace(custody, client=gone)])


@pytest.fixture
def sealable(tmp_path: Path) -> Iterator[SealableServer]:
    with sealable_server(vault_program(), tmp_path) as running:
        yield running


def test_a_sealed_server_fails_with_its_progress_and_nothing_is_written_to_it(
    sealable: SealableServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with yard_of(sealable, monkeypatch) as yard:
        yard.open("staging")
        assert yard.setup("staging", service="redis").exit_code == 0
        sealable.seal()
        sealable.unseal(1)
        with pytest.raises(KnownBad, match=r"is sealed, 1 of 2 unseal keys are given") as told:
            standing(yard)
        assert told.value.next_step.startswith("vault operator unseal")
        run = yard.setup("staging")
        assert (run.exit_code, run.errors[0]["kind"]) == (2, "sealed")
        assert isinstance(Sealed("x"), CannotTell)
        sealable.unseal()
        again = yard.setup("staging", service="redis", due=True)
        assert (again.exit_code, again.outcome) == (0, "nothing to do"), (
            "the agent and its credential lived on"
        )


def test_an_audit_device_is_enabled_once_proven_and_holds_no_secret_in_clear(yard: Yard) -> None:
    log = yard.folder / "audit.log"
    for outcome in ("ok", "nothing to do"):
        this = yard.command("vault.audit-enable")
        audit.enable(this, opened.custody_of(this, PROJECT, "staging", "process"), str(log))
        assert this.outcome.outcome == outcome
    client = VaultClient(yard.server.address, Secret(yard.server.root))
    (device,) = Server(client).audit_devices()
    assert (device.kind, device.path, device.is_raw) == ("file", str(log), False)
    assert yard.setup("staging", service="redis").exit_code == 0
    written = log.read_text(encoding="utf-8")
    assert "finance_report/staging/redis" in written
    folder = Path(yard.places("staging").credential("redis"))
    value = yard.server.must("GET", yard_path("redis"))["data"]["data"]["PASSWORD"]
    for secret in (yard.server.root, (folder / "secret_id").read_text(), value):
        assert secret not in written
    assert "hmac-sha256:" in written


def yard_path(service: str) -> str:
    return secret_path(PROJECT.name, environment("staging"), service, "secret")


def test_an_audit_device_that_writes_values_in_clear_is_a_fault(yard: Yard) -> None:
    body = {"type": "file", "options": {"file_path": str(yard.folder / "raw.log"), "log_raw": "true"}}
    yard.server.must("PUT", "sys/audit/raw", body)
    this = yard.command()
    with pytest.raises(KnownBad, match="in clear"):
        audit.enable(this, opened.custody_of(this, PROJECT, "staging", "process"), "")


def test_a_server_that_wants_the_lines_in_its_own_file_is_told_which(
    yard: Yard, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from infra.store.vault.answers import Answer

    words = f"cannot enable audit device via API; use {BY_FILE_ONLY}, config-based audit device management"
    real = VaultClient.call

    def refuse(client: VaultClient, method: str, path: str, *more: object, **others: object) -> Answer:
        if method == "PUT" and path.startswith("sys/audit/"):
            return Answer(400, {"errors": [words]})
        return real(client, method, path, *more, **others)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(VaultClient, "call", refuse)
    this = yard.command()
    with pytest.raises(KnownBad, match="own file"):
        audit.enable(this, opened.custody_of(this, PROJECT, "staging", "process"), "/var/log/bao.log")
    assert 'audit "file" "file" {' in capsys.readouterr().out


def test_the_real_file_is_rendered_in_memory_and_only_its_keys_are_shown(
    yard: Yard, capsys: pytest.CaptureFixture[str]
) -> None:
    this = yard.command("vault.render")
    render.render(this, opened.custody_of(this, PROJECT, "staging", "process"), "postgres")
    assert [row["key"] for row in this.outcome.facts["keys"]] == ["APP_PASSWORD", "POSTGRES_PASSWORD"]
    values = yard.server.must("GET", yard_path("postgres"))["data"]["data"]
    said = capsys.readouterr()
    for text in (said.out, said.err, as_json(this.outcome)):
        assert not [value for value in values.values() if value in text]


@pytest.mark.parametrize(
    "values", [{"APP_PASSWORD": "only one"}, {"APP_PASSWORD": "", "POSTGRES_PASSWORD": "x"}, {}]
)
def test_a_file_that_would_not_be_whole_is_a_fault_that_names_its_key(
    yard: Yard, values: dict[str, str]
) -> None:
    yard.server.put(yard_path("postgres"), values)
    this = yard.command("vault.render")
    with pytest.raises(KnownBad, match="PASSWORD"):
        render.render(this, opened.custody_of(this, PROJECT, "staging", "process"), "postgres")
    assert json.dumps(this.outcome.facts)
