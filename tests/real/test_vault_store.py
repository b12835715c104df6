"""The store of deployed environments on a real Vault: sealed in mid-run, denied, stopped, oddly set up."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from infra.model.errors import Denied, NotFound, Sealed, StoreError
from infra.model.secret import Secret
from infra.store import leases, owner
from infra.store.ledger import Ledger
from infra.store.vault import kv_answers, wire
from infra.store.vault.client import VaultClient
from infra.store.vault.kv import VaultStore
from tests.doubles.vault_api import POOR, ROOT, VaultApi, vault_api
from tests.real.vault_program import vault_program
from tests.real.vault_server import SealableServer, sealable_server
from tests.store.race import require_one_winner
from tests.waiting import until

pytestmark = pytest.mark.real("VT")

PATH = "finance_report/staging/app"
LEASE = "finance_report/staging/_state/lease"
MINE = {"A": Secret("mine")}
DEPLOYER = """
path "secret/data/finance_report/staging/+" { capabilities = ["create", "read", "update", "patch"] }
path "secret/data/finance_report/staging/_state/*" { capabilities = ["create", "read", "update", "patch"] }
path "secret/metadata/finance_report/staging/*" { capabilities = ["read", "list"] }
path "auth/token/lookup-self" { capabilities = ["read"] }
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SealableServer]:
    with sealable_server(vault_program(), tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def server(running: SealableServer) -> SealableServer:
    """Give the server without the paths that the tests write."""
    for path in (PATH, LEASE, "a/b", "a/c"):
        running.must("DELETE", f"secret/metadata/{path}")
    return running


@pytest.fixture
def store(server: SealableServer) -> VaultStore:
    return VaultStore(client_of(server), "secret")


def client_of(server: SealableServer, token: str = "") -> VaultClient:
    return VaultClient(server.address, Secret(token or server.root), pause=0.01)


def lent(server: SealableServer, policy: str) -> VaultStore:
    """Give the store as a holder of this policy sees it."""
    server.must("PUT", "sys/policies/acl/lent", {"policy": policy})
    wishes = {"policies": ["lent"], "no_default_policy": True}
    token = server.must("POST", "auth/token/create", wishes)["auth"]["client_token"]
    return VaultStore(client_of(server, token), "secret")


def test_the_tool_is_told_the_seal_and_goes_on_when_it_is_open_again(
    server: SealableServer, store: VaultStore
) -> None:
    version = store.put(PATH, MINE, cas=0)
    server.seal()
    with pytest.raises(Sealed, match="sealed, 0 of 2 keys are given") as sealed:
        store.put(PATH, {"A": Secret("late")}, cas=version)
    assert sealed.value.next_step == f"vault operator unseal -address={server.address}"
    server.unseal(1)
    with pytest.raises(Sealed, match="1 of 2"):
        store.read_all([PATH, LEASE])
    server.unseal()
    assert store.get(PATH).values == MINE
    assert store.put(PATH, {"A": Secret("later")}, cas=version) == 2


def test_a_lease_outlives_a_seal(server: SealableServer, store: VaultStore) -> None:
    claim = owner.this_process("alice", "run", "setup app")
    with leases.hold(store, LEASE, claim, lambda: datetime.now(UTC), renew_every=0.05) as holding:
        server.seal()
        with pytest.raises(Sealed):
            leases.standing(store, LEASE)
        server.unseal()
        before = store.metadata(LEASE).current
        until(lambda: store.metadata(LEASE).current > before)
        assert not holding.lost
    assert leases.standing(store, LEASE) is None


def test_a_server_that_is_not_initialised_is_told_apart(tmp_path_factory: pytest.TempPathFactory) -> None:
    with sealable_server(vault_program(), tmp_path_factory.mktemp("fresh"), initialise=False) as fresh:
        with pytest.raises(Sealed, match="not initialised") as told:
            VaultStore(VaultClient(fresh.address, Secret("none")), "secret").get(PATH)
        assert told.value.next_step.startswith("vault operator init")


def test_a_write_to_a_server_that_stops_in_the_middle_is_found_when_it_goes_on(
    server: SealableServer, store: VaultStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "PATIENCE", 0.4)
    store.put(PATH, {"A": Secret("before")}, cas=0)
    os.kill(server.pid, signal.SIGSTOP)
    awake = threading.Timer(0.7, os.kill, (server.pid, signal.SIGCONT))
    awake.start()
    try:
        assert store.put(PATH, MINE, cas=1) == 2
    finally:
        awake.join()
    assert store.metadata(PATH).current == 2


def test_the_deployers_rights_suffice_for_keys_lease_and_ledger(server: SealableServer) -> None:
    mine = lent(server, DEPLOYER)
    assert mine.put(PATH, MINE, cas=0) == 1
    assert mine.read_all([PATH, LEASE])[PATH].values == MINE
    claim = owner.this_process("alice", "run", "setup app")
    with leases.hold(mine, LEASE, claim, lambda: datetime.now(UTC)):
        assert leases.standing(mine, LEASE)
    ledger = Ledger(mine, "finance_report", "staging", ("verdict",))
    for number in range(12):
        ledger.append("app", f"20260102T0304{number:02}000-ab", {"verdict": "ok", "bundle": number})
    assert ledger.newest("app") == {"verdict": "ok", "bundle": 11}
    assert mine.metadata(PATH).current == 1


@pytest.mark.parametrize("path", ["finance_report/production/app", "finance_report/preview/pr_47/app"])
def test_another_environment_is_denied_with_path_and_capability(server: SealableServer, path: str) -> None:
    mine = lent(server, DEPLOYER)
    for act, need in (
        (lambda: mine.get(path), f"read is needed on secret/data/{path}"),
        (lambda: mine.read_all([PATH, path]), f"read is needed on secret/data/{path}"),
        (lambda: mine.put(path, MINE, cas=0), f"create or update is needed on secret/data/{path}"),
        (lambda: mine.list(path), f"list is needed on secret/metadata/{path}"),
    ):
        with pytest.raises(Denied, match=need) as denied:
            act()
        assert denied.value.next_step.startswith("vault token capabilities")
        assert not isinstance(denied.value, LookupError)


def test_a_token_that_ended_is_told_apart_from_a_poor_one(server: SealableServer) -> None:
    with pytest.raises(Denied, match="expired, revoked") as denied:
        VaultStore(client_of(server, "hvs.gone"), "secret").get(PATH)
    assert denied.value.next_step.startswith("vault login")


def test_values_that_are_no_strings_are_told_without_showing_them(
    server: SealableServer, store: VaultStore
) -> None:
    server.must("POST", f"secret/data/{PATH}", {"data": {"A": "1", "NUMBER": 1234567890123456789}})
    with pytest.raises(StoreError, match="the value of NUMBER is no string") as raised:
        store.get(PATH)
    assert "1234567" not in str(raised.value)


def test_a_value_of_megabytes_is_kept_whole_or_refused_without_being_shown(store: VaultStore) -> None:
    large = {"A": Secret("hidden" * 300_000)}
    refusals: list[str] = []
    try:
        store.put(PATH, large, cas=0)
    except StoreError as error:
        refusals.append(str(error))
    assert "hidden" not in "".join(refusals)
    kept = [one.values == large for one in store.read_all([PATH]).values()]
    assert kept == ([] if refusals else [True])


def test_a_deletion_that_is_planned_has_not_happened(server: SealableServer, store: VaultStore) -> None:
    server.must("POST", f"secret/metadata/{PATH}", {"delete_version_after": "1h"})
    with pytest.raises(NotFound):
        store.metadata(PATH)
    assert store.put(PATH, MINE, cas=0) == 1
    assert store.get(PATH).values == MINE
    assert store.metadata(PATH).versions[0].state == "live"


def test_a_mount_that_asks_for_check_and_set_gets_it_or_is_named(
    server: SealableServer, store: VaultStore
) -> None:
    server.must("POST", "secret/config", {"cas_required": True})
    try:
        assert store.put(PATH, MINE, cas=0) == 1
        with pytest.raises(StoreError, match="check-and-set only"):
            store.put(PATH, MINE)
    finally:
        server.must("POST", "secret/config", {"cas_required": False})


def test_a_mount_of_version_1_is_refused_and_a_missing_one_named(server: SealableServer) -> None:
    server.must("POST", "sys/mounts/old", {"type": "kv", "options": {"version": "1"}})
    with pytest.raises(StoreError, match="none of KV version 2"):
        VaultStore(client_of(server), "old").put(PATH, MINE, cas=0)
    with pytest.raises(StoreError, match="nothing mounted at nowhere/"):
        VaultStore(client_of(server), "nowhere").get(PATH)


def test_listing_the_data_path_is_a_clear_error(server: SealableServer) -> None:
    answer = client_of(server).call("LIST", "secret/data/finance_report/staging")
    with pytest.raises(StoreError, match="none of KV version 2"):
        kv_answers.names_of(answer, "finance_report/staging")


def test_names_of_environments_keep_their_case(store: VaultStore) -> None:
    store.put("a/b", MINE)
    with pytest.raises(NotFound):
        store.get("a/B")


def test_of_ten_writers_on_one_client_one_wins(store: VaultStore) -> None:
    require_one_winner(PATH, lambda: store)


SAME: tuple[tuple[str, str, dict[str, Any] | None], ...] = (
    ("GET", "secret/data/a/b", None),
    ("GET", "secret/metadata/a/b", None),
    ("LIST", "secret/metadata/a", None),
    ("POST", "secret/delete/a/b", {"versions": [1]}),
    ("POST", "secret/data/a/b", {"data": {"A": "1"}, "options": {"cas": 1}}),
    ("POST", "secret/data/a/b", {"data": {"A": "1"}, "options": {"cas": 0}}),
    ("POST", "secret/data/a/b", {"data": {"A": "2"}, "options": {"cas": 0}}),
    ("POST", "secret/data/a/b", {"data": {"A": "2"}}),
    ("POST", "secret/data/a/b", {"nothing": 1}),
    ("GET", "secret/data/a/b", None),
    ("GET", "secret/data/a/b?version=1", None),
    ("GET", "secret/data/a/b?version=7", None),
    ("LIST", "secret/data/a", None),
    ("LIST", "secret/metadata/a", None),
    ("POST", "secret/delete/a/b", {"versions": [2, 9]}),
    ("GET", "secret/data/a/b", None),
    ("GET", "secret/metadata/a/b", None),
    ("POST", "secret/data/a/b", {"data": {"A": "3"}, "options": {"cas": 0}}),
    ("POST", "secret/undelete/a/b", {"versions": [2]}),
    ("GET", "secret/data/a/b", None),
    ("POST", "secret/destroy/a/b", {"versions": [2]}),
    ("POST", "secret/undelete/a/b", {"versions": [2]}),
    ("GET", "secret/data/a/b", None),
    ("GET", "secret/metadata/a/b", None),
    ("POST", "secret/undelete/a/b", {"versions": []}),
    ("DELETE", "secret/metadata/a/b", None),
    ("DELETE", "secret/metadata/a/b", None),
    ("POST", "secret/data/a/c", {"data": {"A": 1, "B": None}, "options": {"cas": 0}}),
    ("GET", "secret/data/a/c", None),
    ("GET", "nowhere/data/a", None),
    ("GET", "auth/token/lookup-self", None),
)
VAULTS_ALONE = {("LIST", "secret/data/a"), ("GET", "nowhere/data/a")}
TIMES = frozenset({"created_time", "deletion_time"})
OF_NO_MATTER = frozenset({"request_id"})


@pytest.fixture
def api() -> Iterator[VaultApi]:
    with vault_api() as double:
        yield double


def test_the_double_answers_what_the_real_server_answers(server: SealableServer, api: VaultApi) -> None:
    real, double = client_of(server), VaultClient(api.address, Secret(ROOT))
    for number, (method, path, body) in enumerate(SAME):
        if is_openbao(server) and (method, path) in VAULTS_ALONE:
            continue
        mine, theirs = double.call(method, path, body), real.call(method, path, body)
        assert mine.status == theirs.status, f"step {number}: {method} {path}"
        assert_within(mine.body, theirs.body, f"step {number}: {method} {path}")


def test_the_double_refuses_in_the_words_of_the_real_server(server: SealableServer, api: VaultApi) -> None:
    poor = server.must("POST", "auth/token/create", {"policies": ["none"], "no_default_policy": True})
    pairs = {POOR: poor["auth"]["client_token"]} | ({} if is_openbao(server) else {"dead": "hvs.dead"})
    for mine, theirs in pairs.items():
        answers = [
            VaultClient(address, Secret(token)).call("GET", "secret/data/a/b", expected={403}).errors
            for address, token in ((api.address, mine), (server.address, theirs))
        ]
        assert answers[0] == answers[1]
    server.seal()
    api.is_sealed = True
    try:
        sealed = [client.call("GET", "secret/data/a/b", expected={503}) for client in both(server, api)]
        assert sealed[0].errors == sealed[1].errors
        told = [client.call("GET", "sys/seal-status", anonymous=True).body for client in both(server, api)]
        assert set(told[0]) <= set(told[1])
    finally:
        server.unseal()


def is_openbao(server: SealableServer) -> bool:
    """Tell whether the server is OpenBao, whose words differ here and there: the double copies Vault's."""
    return server.program.name == "bao"


def both(server: SealableServer, api: VaultApi) -> tuple[VaultClient, VaultClient]:
    return VaultClient(api.address, Secret(ROOT)), client_of(server)


def assert_within(mine: Any, theirs: Any, place: str) -> None:
    """Everything that the double says, the real server says as well; times only stand or stand not."""
    if not isinstance(mine, dict):
        assert mine == theirs, place
        return
    for key in mine.keys() - OF_NO_MATTER:
        assert key in theirs, f"{place} {key}"
        if key in TIMES:
            assert bool(mine[key]) == bool(theirs[key]), f"{place} {key}"
        elif key != "policies":
            assert_within(mine[key], theirs[key], f"{place} {key}")
