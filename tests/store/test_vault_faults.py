"""The store of deployed environments when Vault answers late, half, wrongly or not at all; on the double."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.model.errors import CasLost, InfraError, NotFound, StoreError, Unreachable
from infra.model.secret import Secret, SecretSpec
from infra.store import keys, leases, owner, records
from infra.store.interface import Store
from infra.store.ledger import Ledger
from infra.store.vault import kv_answers, wire
from infra.store.vault.client import VaultClient
from infra.store.vault.kv import VaultStore
from infra.store.vault.server import Server
from tests.doubles.vault_api import ROOT, Fault, VaultApi
from tests.doubles.vault_kv import Entry, Kept, moment
from tests.store.sites import AT, PATH

LEASE = "finance_report/local/_state/lease"
MINE = {"A": Secret("mine")}
THEIRS = {"A": Secret("theirs")}
LOST_ANSWERS = {
    "an answer 500": Fault("status", 500, is_done=True),
    "a gate's 502": Fault("status", 502, is_done=True),
    "a connection that breaks": Fault("hang up", is_done=True),
    "half an answer": Fault("half", is_done=True),
    "an answer that is no JSON": Fault("wrong JSON", is_done=True),
    "an answer that is too late": Fault("slow", is_done=True),
}


@pytest.fixture
def client(api: VaultApi) -> VaultClient:
    return VaultClient(api.address, Secret(ROOT), pause=0.001)


@pytest.fixture
def store(client: VaultClient) -> VaultStore:
    return VaultStore(client, "secret")


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "PATIENCE", 0.4)


def posts(api: VaultApi) -> int:
    return sum(method == "POST" for method, _ in api.asked)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("cas", [0, None], ids=["with check-and-set", "without"])
@pytest.mark.parametrize("fault", LOST_ANSWERS.values(), ids=LOST_ANSWERS)
def test_a_write_whose_answer_was_lost_is_found_and_not_repeated(
    api: VaultApi, store: VaultStore, fault: Fault, cas: int | None
) -> None:
    api.faults = [fault]
    assert store.put(PATH, MINE, cas) == 1
    assert posts(api) == 1
    assert store.metadata(PATH).current == 1


@pytest.mark.parametrize("cas", [0, None], ids=["with check-and-set", "without"])
def test_a_write_that_was_not_stored_is_repeated(api: VaultApi, store: VaultStore, cas: int | None) -> None:
    api.faults = [Fault("status", 500), Fault("status", 429)]
    assert store.put(PATH, MINE, cas) == 1
    assert store.metadata(PATH).current == 1


def test_the_last_try_is_looked_for_too(api: VaultApi, store: VaultStore) -> None:
    refused = Fault("status", 429)
    api.faults = [refused, refused, refused, Fault("status", 500, is_done=True)]
    assert store.put(PATH, MINE, cas=0) == 1


def test_a_write_that_nobody_can_find_out_about_is_an_error_and_not_repeated(
    api: VaultApi, store: VaultStore
) -> None:
    api.faults = [Fault("hang up", is_done=True), *[Fault("status", 500)] * 4]
    with pytest.raises(Unreachable, match="may have been written"):
        store.put(PATH, MINE)
    assert posts(api) == 1


def in_the_pause(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Do something between two tries: after the store was read, before the write is repeated."""

    def sleep(_seconds: float) -> None:
        monkeypatch.undo()
        act()

    monkeypatch.setattr(time, "sleep", sleep)


def test_a_write_that_arrives_late_is_known_as_our_own(
    api: VaultApi, store: VaultStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.faults = [Fault("hang up")]
    in_the_pause(monkeypatch, lambda: api.engine.write(PATH, {"data": {"A": "mine"}}))
    assert store.put(PATH, MINE, cas=0) == 1


def test_whoever_was_faster_meanwhile_is_not_taken_for_us(
    api: VaultApi, store: VaultStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.faults = [Fault("hang up")]
    in_the_pause(monkeypatch, lambda: api.engine.write(PATH, {"data": {"A": "theirs"}}))
    with pytest.raises(CasLost):
        store.put(PATH, MINE, cas=0)
    assert store.get(PATH).values == THEIRS


def test_our_write_counts_also_when_others_wrote_over_it(
    api: VaultApi, store: VaultStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def both() -> None:
        api.engine.write(PATH, {"data": {"A": "mine"}})
        api.engine.write(PATH, {"data": {"A": "theirs"}})

    api.faults = [Fault("hang up")]
    in_the_pause(monkeypatch, both)
    assert store.put(PATH, MINE, cas=0) == 1
    assert store.get(PATH).values == THEIRS


def test_a_race_lost_at_once_is_lost_also_with_the_same_values(store: VaultStore) -> None:
    store.put(PATH, MINE)
    with pytest.raises(CasLost):
        store.put(PATH, MINE, cas=0)


def test_a_lease_is_taken_renewed_and_freed_over_lost_answers(api: VaultApi, store: VaultStore) -> None:
    lost = Fault("status", 500, is_done=True)
    now = datetime.now(UTC)
    claim = owner.this_process("alice", "run", "setup app")
    taken = leases.acquire(store, LEASE, claim, lambda: now)
    api.faults = [lost]
    taken = leases.renew(store, LEASE, taken, lambda: now)
    api.faults = [lost]
    leases.release(store, LEASE, taken)
    assert leases.standing(store, LEASE) is None
    assert store.metadata(LEASE).current == 3


def test_a_record_is_kept_once_over_a_lost_answer(api: VaultApi, store: VaultStore) -> None:
    ledger = Ledger(store, "finance_report", "local", ("verdict",))
    api.faults = [None, Fault("hang up", is_done=True)]  # the listing passes
    ledger.append("app", "20260102T030405000-ab", {"verdict": "ok"})
    assert api.faults == []
    assert ledger.list("app") == ({"verdict": "ok"},)
    assert store.metadata("finance_report/local/_state/app/00000001-20260102T030405000-ab").current == 1


@pytest.mark.parametrize("hours", [-5, 0, 5])
def test_deletions_and_ages_are_judged_by_the_servers_clock(
    api: VaultApi, client: VaultClient, store: VaultStore, hours: int
) -> None:
    api.ahead = hours * 3600
    now = Server(client).now()
    assert abs(now - datetime.now(UTC) - timedelta(hours=hours)) <= timedelta(seconds=2)
    store.put(PATH, MINE)
    entry = api.engine.entries[PATH]
    entry.versions[1].deleted = (now + timedelta(hours=1)).isoformat()
    assert [one.state for one in store.metadata(PATH).versions] == ["live"]
    entry.versions[1].deleted = (now - timedelta(hours=1)).isoformat()
    assert [one.state for one in store.metadata(PATH).versions] == ["deleted"]


@pytest.mark.parametrize("value", [7, 1.5, True, None, ["hidden"], {"hidden": "x"}])
def test_a_value_that_is_no_string_is_an_error_that_names_path_and_key_only(
    api: VaultApi, store: VaultStore, value: object
) -> None:
    api.engine.write(PATH, {"data": {"A": "1", "NUMBER": value}})
    with pytest.raises(StoreError, match=f"{PATH}: the value of NUMBER is no string") as raised:
        store.get(PATH)
    assert "hidden" not in str(raised.value)
    assert not isinstance(raised.value, LookupError)


STRANGE: dict[str, Any] = {
    "nothing of KV": {"errors": ["hidden"]},
    "no values": {"data": {"metadata": {"version": 1}}},
    "no metadata": {"data": {"data": {"A": "hidden"}}},
    "a list": {"data": ["hidden"]},
    "a broken time": {
        "data": {"data": {}, "metadata": {"version": 1, "created_time": "hidden", "destroyed": False}}
    },
    "values that are no object": {
        "data": {"data": "hidden", "metadata": {"version": 1, "created_time": moment(), "destroyed": False}}
    },
}
CALLS: dict[str, Callable[[Store], object]] = {
    "get": lambda store: store.get(PATH),
    "put": lambda store: store.put(PATH, MINE),
    "metadata": lambda store: store.metadata(PATH),
    "list": lambda store: store.list("finance_report/local"),
    "read_all": lambda store: store.read_all([PATH]),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("body", STRANGE.values(), ids=STRANGE)
@pytest.mark.parametrize("status", [200, 404])
def test_an_answer_that_is_none_of_ours_is_an_error_and_never_empty(
    api: VaultApi, store: VaultStore, status: int, body: dict[str, Any], call: Callable[[Store], object]
) -> None:
    api.engine.answer = lambda *_: (status, body)  # type: ignore[method-assign]  # a lying engine
    with pytest.raises(StoreError, match="none of KV version 2") as raised:
        call(store)
    assert type(raised.value) is StoreError
    assert "hidden" not in str(raised.value)


MARKS: dict[str, Callable[[Store], object]] = {
    "delete": lambda store: store.delete(PATH, (1,)),
    "undelete": lambda store: store.undelete(PATH, (1,)),
    "destroy": lambda store: store.destroy(PATH, (1,)),
    "purge": lambda store: store.purge(PATH),
}


@pytest.mark.parametrize("call", MARKS.values(), ids=MARKS)
@pytest.mark.parametrize("status", [400, 404, 405])
def test_a_deletion_that_was_not_made_is_an_error(
    api: VaultApi, store: VaultStore, status: int, call: Callable[[Store], object]
) -> None:
    api.engine.answer = lambda *_: (status, {"errors": ["hidden"]})  # type: ignore[method-assign]  # as above
    with pytest.raises(StoreError, match="none of KV version 2"):
        call(store)


@pytest.mark.parametrize("call", [*CALLS.values(), *MARKS.values()], ids=[*CALLS, *MARKS])
def test_a_missing_mount_is_an_error_with_its_name_and_never_not_found(
    client: VaultClient, call: Callable[[Store], object]
) -> None:
    with pytest.raises(StoreError, match="nothing mounted at nowhere/") as raised:
        call(VaultStore(client, "nowhere"))
    assert not isinstance(raised.value, LookupError)
    assert "nowhere" in raised.value.next_step


def test_a_deletion_that_is_planned_has_not_happened(api: VaultApi, store: VaultStore) -> None:
    ahead = (datetime.now(UTC) + timedelta(hours=1)).isoformat().replace("+00:00", "123Z")
    api.engine.entries[PATH] = Entry(1, {1: Kept({"A": "mine"}, moment(), ahead)})
    assert store.get(PATH).values == MINE
    assert store.metadata(PATH).versions[0].state == "live"


def test_a_path_with_settings_and_no_version_was_never_written(api: VaultApi, store: VaultStore) -> None:
    api.engine.entries[PATH] = Entry()
    with pytest.raises(NotFound):
        store.metadata(PATH)
    assert store.put(PATH, MINE, cas=0) == 1


def test_listing_the_data_path_is_a_clear_error(client: VaultClient) -> None:
    answer = client.call("LIST", "secret/data/finance_report/local")
    with pytest.raises(StoreError, match="none of KV version 2"):
        kv_answers.names_of(answer, "finance_report/local")


def test_the_newest_version_is_deleted_by_its_number(api: VaultApi, store: VaultStore) -> None:
    """A repeated request must not delete what another writer put meanwhile."""
    store.put(PATH, MINE)
    store.put(PATH, MINE)
    api.faults = [Fault("status", 429), Fault("hang up", is_done=True)]
    store.delete(PATH)
    sent = [
        body for (method, target), body in zip(api.asked, api.bodies, strict=True) if "/delete/" in target
    ]
    assert {json.loads(body)["versions"][0] for body in sent} == {2}
    assert [one.state for one in store.metadata(PATH).versions] == ["live", "deleted"]


def test_many_paths_cost_about_the_time_of_one(api: VaultApi, store: VaultStore) -> None:
    api.delay = 0.2
    began = time.monotonic()
    store.read_all([f"finance_report/local/service_{number}" for number in range(12)])
    assert time.monotonic() - began < 6 * api.delay


def test_reading_together_gives_the_fault_of_any_path(api: VaultApi, store: VaultStore) -> None:
    api.faults = [Fault("status", 403)]
    with pytest.raises(InfraError):
        store.read_all([PATH, "finance_report/local/redis"])


def test_the_keys_of_an_environment_are_made_and_read_in_few_requests(
    api: VaultApi, store: VaultStore
) -> None:
    specs = tuple(SecretSpec(service, "PASSWORD", "generated") for service in ("postgres", "redis", "app"))
    made = keys.ensure(store, "finance_report", "local", specs, AT)
    api.asked.clear()
    seen = keys.pending(store, "finance_report", "local", specs, AT)
    assert seen.values == made.values
    assert [method for method, _ in api.asked] == ["GET"] * 6


def test_a_record_that_is_none_is_an_error(api: VaultApi, store: VaultStore) -> None:
    api.engine.write(LEASE, {"data": {"RECORD": "{"}})
    with pytest.raises(StoreError, match="no record"):
        records.read(store, LEASE)
