"""What every store promises, deployed or local: one class, run on each kind of store of `conftest.py`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

import finance_report
from infra.model.addresses import Addresses
from infra.model.errors import (
    BadInput,
    CasLost,
    DeletedVersion,
    Denied,
    InfraError,
    NotFound,
    Refused,
    StoreError,
    Unreachable,
)
from infra.model.secret import Secret, SecretSpec
from infra.store import keys
from infra.store.interface import Store
from tests.store.race import require_one_winner
from tests.store.sites import AT, PATH, Site

HOSTILE = {
    case["name"]: Secret(case["text"] * case.get("times", 1))
    for case in yaml.safe_load((Path(__file__).parent / "hostile_values.yaml").read_text("utf-8"))
}
KEYS = tuple(spec for service in finance_report.PROJECT.services for spec in service.secrets)
LOCAL = Addresses(
    "127.0.0.1",
    "127.0.0.1",
    {"postgres": 5432, "redis": 6379, "minio": 9000},
    "finance_report",
    "finance_report_app",
    project="finance_report",
    environment="local",
)


def values(**plain: str) -> dict[str, Secret]:
    return {key: Secret(value) for key, value in plain.items()}


class TestStore:
    """The contract."""

    def test_what_is_written_is_read_by_every_client(self, site: Site) -> None:
        site.store.put(PATH, values(A="1", B="2"))
        for client in (site.store, site.again()):
            held = client.get(PATH)
            assert (held.path, held.version, held.values) == (PATH, 1, values(A="1", B="2"))

    def test_a_version_knows_when_it_was_made_in_utc(self, store: Store) -> None:
        store.put(PATH, values(A="1"))
        created = store.get(PATH).created
        assert created.utcoffset() == timedelta(0)
        assert abs(datetime.now(UTC) - created) < timedelta(seconds=30)

    def test_versions_count_up_and_old_ones_can_be_read(self, store: Store) -> None:
        assert [store.put(PATH, values(A=text)) for text in ("x", "y", "z")] == [1, 2, 3]
        assert [store.get(PATH, number).values["A"].reveal() for number in (1, 2, 3)] == ["x", "y", "z"]
        assert store.get(PATH).version == 3

    def test_many_paths_are_read_together_and_what_is_not_there_is_left_out(self, store: Store) -> None:
        paths = [f"finance_report/local/service_{number}" for number in range(20)]
        for path in paths:
            store.put(path, values(PATH=path))
        found = store.read_all([*paths, *paths, "finance_report/local/_state/nothing", PATH])
        assert {path: one.values for path, one in found.items()} == {
            path: values(PATH=path) for path in paths
        }
        assert store.read_all(()) == {}

    @pytest.mark.parametrize("act", ["delete", "destroy"])
    def test_reading_together_never_leaves_out_what_was_deleted(self, store: Store, act: str) -> None:
        store.put(PATH, values(A="1"))
        getattr(store, act)(PATH, (1,))
        with pytest.raises(DeletedVersion, match=PATH):
            store.read_all(["finance_report/local/other", PATH])

    def test_a_write_replaces_all_keys(self, store: Store) -> None:
        store.put(PATH, values(A="1", B="2"))
        store.put(PATH, values(C="3"))
        assert store.get(PATH).values == values(C="3")

    def test_the_last_ten_versions_are_kept_and_numbers_go_on(self, store: Store) -> None:
        for number in range(1, 13):
            assert store.put(PATH, values(A=str(number))) == number
        with pytest.raises(NotFound):
            store.get(PATH, 2)
        assert store.get(PATH, 3).values == values(A="3")
        assert [one.number for one in store.metadata(PATH).versions] == list(range(3, 13))

    @pytest.mark.parametrize("version", [None, 1])
    def test_what_was_never_written_is_not_found(self, store: Store, version: int | None) -> None:
        with pytest.raises(NotFound, match=PATH):
            store.get(PATH, version)
        with pytest.raises(NotFound, match=PATH):
            store.metadata(PATH)

    def test_of_two_writers_one_loses_and_a_merge_keeps_both_keys(self, site: Site) -> None:
        mine, theirs = site.store, site.again()
        mine.put(PATH, values(A="1"), cas=0)
        seen = mine.get(PATH)
        theirs.put(PATH, {**seen.values, **values(B="2")}, cas=seen.version)
        with pytest.raises(CasLost, match=PATH):
            mine.put(PATH, {**seen.values, **values(C="3")}, cas=seen.version)
        again = mine.get(PATH)
        mine.put(PATH, {**again.values, **values(C="3")}, cas=again.version)
        assert theirs.get(PATH).values == values(A="1", B="2", C="3")

    def test_ten_writers_at_once_make_one_winner(self, site: Site) -> None:
        require_one_winner(PATH, site.again)

    @pytest.mark.parametrize("cas", [0, 1, 3])
    def test_a_wrong_version_loses_and_changes_nothing(self, store: Store, cas: int) -> None:
        store.put(PATH, values(A="1"))
        store.put(PATH, values(A="2"))
        with pytest.raises(CasLost):
            store.put(PATH, values(A="3"), cas=cas)
        assert store.get(PATH).values == values(A="2")

    def test_a_first_write_must_not_expect_a_version(self, store: Store) -> None:
        with pytest.raises(CasLost):
            store.put(PATH, values(A="1"), cas=1)

    def test_a_deleted_version_says_so_and_comes_back(self, store: Store) -> None:
        store.put(PATH, values(A="1"))
        store.delete(PATH)
        with pytest.raises(DeletedVersion, match=f"{PATH}.* 1 .*deleted"):
            store.get(PATH)
        assert store.metadata(PATH).versions[0].state == "deleted"
        store.undelete(PATH, (1,))
        assert store.get(PATH).values == values(A="1")

    def test_deleting_twice_or_nothing_changes_nothing(self, store: Store) -> None:
        store.delete(PATH)
        store.put(PATH, values(A="1"))
        store.delete(PATH)
        store.delete(PATH)
        store.undelete(PATH, (1, 7))
        assert store.get(PATH).version == 1

    def test_a_destroyed_version_says_so_and_never_comes_back(self, store: Store) -> None:
        store.put(PATH, values(A="1"))
        store.put(PATH, values(A="2"))
        store.destroy(PATH, (2,))
        store.undelete(PATH, (2,))
        with pytest.raises(DeletedVersion, match=f"{PATH}.* 2 .*destroyed"):
            store.get(PATH)
        assert store.get(PATH, 1).values == values(A="1")
        assert [one.state for one in store.metadata(PATH).versions] == ["live", "destroyed"]

    def test_over_a_deleted_version_the_next_number_is_written(self, store: Store) -> None:
        store.put(PATH, values(A="1"))
        store.delete(PATH)
        with pytest.raises(CasLost):
            store.put(PATH, values(A="2"), cas=0)
        assert store.put(PATH, values(A="2"), cas=1) == 2

    def test_after_a_purge_versions_start_again(self, store: Store) -> None:
        store.put(PATH, values(A="1"))
        store.put(PATH, values(A="2"))
        store.purge(PATH)
        store.purge(PATH)
        with pytest.raises(NotFound):
            store.get(PATH)
        assert store.put(PATH, values(A="3"), cas=0) == 1

    def test_names_are_listed_with_their_folders_also_deleted_ones(self, store: Store) -> None:
        for path in ("app", "redis", "_state/lease", "_state/app/20260102T030405006-ab"):
            store.put(f"finance_report/local/{path}", values(A="1"))
        store.put("finance_report/local_ci/other", values(A="1"))
        store.delete("finance_report/local/redis")
        assert store.list("finance_report/local") == ("_state/", "app", "redis")
        assert store.list("finance_report/local/_state") == ("app/", "lease")
        assert store.list("finance_report/staging") == ()

    @pytest.mark.parametrize(
        "path",
        ["", "a//b", "/a", "a/", "a/../b", "a/.", "a/_mine", "a/b c", "a/é", "a/b\n", "a/" + "x" * 200],
    )
    def test_a_malformed_path_is_refused(self, store: Store, path: str) -> None:
        for act in (store.get, store.list, store.metadata, store.purge):
            with pytest.raises(BadInput):
                act(path)

    @pytest.mark.parametrize("key", ["", "lower", "A-B", "1A", "A\n"])
    def test_a_malformed_key_is_refused(self, store: Store, key: str) -> None:
        with pytest.raises(BadInput):
            store.put(PATH, {key: Secret("1")})
        with pytest.raises(NotFound):
            store.get(PATH)

    @pytest.mark.parametrize(
        ("fault", "kind"), [("refuse", Denied), ("silence", Unreachable), ("break_down", StoreError)]
    )
    def test_a_fault_has_its_own_error_and_is_never_not_found(
        self, site: Site, fault: str, kind: type[InfraError]
    ) -> None:
        site.store.put(PATH, values(A="1"))
        getattr(site, fault)()
        with pytest.raises(kind) as raised:
            site.again().put(PATH, values(A="2"), cas=1)
        assert not isinstance(raised.value, LookupError | CasLost)
        assert raised.value.next_step
        assert "'A'" not in str(raised.value)

    @pytest.mark.parametrize(("fault", "kind"), [("refuse", Denied), ("break_down", StoreError)])
    def test_reading_what_cannot_be_read_is_an_error_and_never_empty(
        self, site: Site, fault: str, kind: type[InfraError]
    ) -> None:
        site.store.put(PATH, values(A="1"))
        getattr(site, fault)()
        reader = site.again()
        for act in (reader.get, reader.metadata, reader.list, lambda path: reader.read_all([path])):
            with pytest.raises(kind) as raised:
                act(PATH)
            assert not isinstance(raised.value, LookupError)

    @pytest.mark.parametrize("name", HOSTILE)
    def test_a_hostile_value_comes_back_as_it_was(self, site: Site, name: str) -> None:
        site.store.put(PATH, {"KEY": HOSTILE[name]})
        assert site.again().get(PATH).values["KEY"].reveal() == HOSTILE[name].reveal()

    def test_a_derived_value_changed_by_hand_is_repaired_on_request_only(self, store: Store) -> None:
        specs = (
            SecretSpec("postgres", "APP_PASSWORD", "generated"),
            SecretSpec(
                "app",
                "DATABASE_URL",
                "derived",
                derive=lambda held, at: f"pg://{held['postgres', 'APP_PASSWORD'].reveal()}@{at.postgres}",
            ),
        )
        made = keys.ensure(store, "finance_report", "local", specs, AT)
        store.put(PATH, values(DATABASE_URL="pg://elsewhere"))
        with pytest.raises(Refused, match="DATABASE_URL") as refusal:
            keys.ensure(store, "finance_report", "local", specs, AT)
        assert "--repair-derived" in refusal.value.next_step
        assert store.get(PATH).values == values(DATABASE_URL="pg://elsewhere")
        keys.ensure(store, "finance_report", "local", specs, AT, repair=True)
        assert store.get(PATH).values == made.values["app"]

    def test_an_address_that_we_gave_earlier_follows_without_a_word_of_anybody(self, store: Store) -> None:
        made = keys.ensure(store, "finance_report", "local", KEYS, LOCAL)
        app = {key: value.reveal() for key, value in made.values["app"].items()}
        earlier = {**app, "DATABASE_URL": app["DATABASE_URL"].replace("127.0.0.1:5432", "localhost:5532")}
        store.put(PATH, values(**earlier), cas=1)
        foreseen = keys.pending(store, "finance_report", "local", KEYS, LOCAL)
        assert (foreseen.drifted, foreseen.lacking) == ({}, {})
        reason = "its host is 127.0.0.1 and its port is 5432 now"
        assert foreseen.reasons == {"app": {"DATABASE_URL": reason}}
        done = keys.ensure(store, "finance_report", "local", KEYS, LOCAL)
        assert (done.rewritten, done.versions["app"]) == ({"app": ("DATABASE_URL",)}, 3)
        assert store.get(PATH).values == made.values["app"]
