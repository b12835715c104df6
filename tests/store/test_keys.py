"""Keys: generated once, derived always, an operator's never touched."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from infra.model.addresses import Addresses
from infra.model.errors import CasLost, DeletedVersion, Refused
from infra.model.secret import LOCAL_ENVIRONMENTS, Place, Secret, SecretSpec
from infra.store import keys
from infra.store.file_store import FileStore
from infra.store.interface import Versioned
from infra.store.keyring import Keyring
from infra.store.paths import is_state

ROOT = Path(__file__).parents[2]
PLACE = ("finance_report", "local")
APP = "finance_report/local/app"
POSTGRES = "finance_report/local/postgres"


def at(host: str) -> Addresses:
    return Addresses(host, host, {}, "d", "r")


def database_url(values: Mapping[Place, Secret], here: Addresses) -> str:
    return f"pg://{values['postgres', 'APP_PASSWORD'].reveal()}@{here.postgres}"


def bucket_url(values: Mapping[Place, Secret], here: Addresses) -> str:
    return f"s3://{values['app', 'S3_ACCESS_KEY'].reveal()}@{here.postgres}"


def endpoint(_values: Mapping[Place, Secret], here: Addresses) -> str | None:
    return None if here.postgres == "own" else f"http://{here.postgres}"


SPECS = (
    SecretSpec("app", "DATABASE_URL", "derived", derive=database_url),
    SecretSpec("app", "BUCKET_URL", "derived", derive=bucket_url, optional_in=LOCAL_ENVIRONMENTS),
    SecretSpec("app", "S3_ENDPOINT", "derived", derive=endpoint),
    SecretSpec("app", "S3_ACCESS_KEY", "operator", optional_in=LOCAL_ENVIRONMENTS),
    SecretSpec("app", "SECRET_KEY", "generated", length=64),
    SecretSpec("app", "S3_SECRET_KEY", "generated", optional_in=LOCAL_ENVIRONMENTS),
    SecretSpec("postgres", "POSTGRES_PASSWORD", "generated"),
    SecretSpec("postgres", "APP_PASSWORD", "generated", alphabet="ab"),
)


ENDPOINT_OF_ANY = SecretSpec("app", "S3_ENDPOINT", "derived", derive=endpoint, optional_in=LOCAL_ENVIRONMENTS)


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "secrets", "local", tmp_path / "checkout")


def ensure(store: FileStore, host: str = "db", *, repair: bool = False) -> Keyring:
    return keys.ensure(store, *PLACE, SPECS, at(host), repair=repair)


def pending(store: FileStore, host: str = "db", *, repair: bool = False) -> Keyring:
    return keys.pending(store, *PLACE, SPECS, at(host), repair=repair)


def change(store: FileStore, path: str, **values: str) -> None:
    held = store.get(path)
    store.put(path, {**held.values, **{key: Secret(value) for key, value in values.items()}}, held.version)


def contents(folder: Path) -> dict[Path, bytes]:
    return {one: one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def test_a_first_run_makes_what_is_required_and_derives_the_rest(store: FileStore) -> None:
    made = ensure(store)
    assert made.generated == {"app": ("SECRET_KEY",), "postgres": ("APP_PASSWORD", "POSTGRES_PASSWORD")}
    assert made.rewritten == {"app": ("DATABASE_URL", "S3_ENDPOINT")}
    assert made.versions == {"app": 1, "postgres": 1}
    password = made.values["postgres"]["APP_PASSWORD"].reveal()
    assert len(password) == 32
    assert set(password) == {"a", "b"}
    assert made.values["app"]["DATABASE_URL"].reveal() == f"pg://{password}@db"
    assert {path: store.get(path).values for path in (APP, POSTGRES)} == {
        APP: made.values["app"],
        POSTGRES: made.values["postgres"],
    }


def test_what_another_run_wrote_while_we_read_is_not_foreign(store: FileStore, tmp_path: Path) -> None:
    """Paths are read side by side: here the marks are older than the values beside them."""
    ensure(store, "db")

    class Between(FileStore):
        is_first = True

        def read_all(self, paths: Iterable[str]) -> Mapping[str, Versioned]:
            asked = list(paths)
            before = store.read_all(asked)
            if not self.is_first:
                return before
            self.is_first = False
            ensure(store, "elsewhere")
            after = store.read_all(asked)
            return {**after, **{path: one for path, one in before.items() if is_state(path)}}

    between = Between(tmp_path / "secrets", "local", tmp_path / "checkout")
    assert ensure(between, "db").values == ensure(store, "db").values


def test_an_optional_key_is_never_made_up(store: FileStore) -> None:
    made = ensure(store)
    assert not {"S3_ACCESS_KEY", "S3_SECRET_KEY", "BUCKET_URL"} & set(made.values["app"])
    assert made.missing == {}


def test_two_generated_values_differ() -> None:
    spec = SecretSpec("redis", "PASSWORD", "generated")
    assert keys.generate(spec) != keys.generate(spec)


def test_a_second_run_writes_nothing(store: FileStore, tmp_path: Path) -> None:
    first = ensure(store)
    before = {one.name: one.stat().st_mtime_ns for one in (tmp_path / "secrets").glob("*.json")}
    second = ensure(store)
    assert (second.unwritten, second.values, second.versions) == ({}, first.values, first.versions)
    assert {one.name: one.stat().st_mtime_ns for one in (tmp_path / "secrets").glob("*.json")} == before


def test_the_forecast_writes_nothing_and_says_what_ensure_then_does(store: FileStore, tmp_path: Path) -> None:
    for is_first in (True, False):
        if not is_first:
            change(store, POSTGRES, APP_PASSWORD="rotated")
        before = contents(tmp_path)
        foreseen = pending(store)
        assert contents(tmp_path) == before
        done = ensure(store)
        assert (foreseen.generated, foreseen.rewritten) == (done.generated, done.rewritten)
        assert foreseen.versions == done.versions


def test_the_forecast_gives_only_values_that_stay(store: FileStore) -> None:
    assert pending(store).values == {"app": {}, "postgres": {}}
    made = ensure(store)
    assert pending(store).values == made.values
    moved = pending(store, "elsewhere")
    assert set(moved.values["app"]) == {"SECRET_KEY"}
    assert moved.readable["app"] == keys.ensure(store, *PLACE, SPECS, at("elsewhere")).values["app"]
    assert moved.versions == {"app": 2, "postgres": 1}


def test_derived_keys_follow_their_inputs(store: FileStore) -> None:
    ensure(store)
    change(store, POSTGRES, APP_PASSWORD="rotated")
    rotated = ensure(store)
    assert (rotated.generated, rotated.rewritten) == ({}, {"app": ("DATABASE_URL",)})
    assert rotated.values["app"]["DATABASE_URL"].reveal() == "pg://rotated@db"
    moved = ensure(store, "elsewhere")
    assert moved.values["app"]["DATABASE_URL"].reveal() == "pg://rotated@elsewhere"
    assert ensure(store).values["app"]["DATABASE_URL"].reveal() == "pg://rotated@db"


def test_an_operators_key_and_an_undeclared_one_stay_as_they_are(store: FileStore) -> None:
    ensure(store)
    change(store, APP, S3_ACCESS_KEY="given", LEGACY="old")
    after = ensure(store, "elsewhere")
    assert after.undeclared == {"app": ("LEGACY",)}
    assert "LEGACY" not in after.values["app"]
    assert after.values["app"]["BUCKET_URL"].reveal() == "s3://given@elsewhere"
    assert store.get(APP).values["LEGACY"].reveal() == "old"
    assert store.get(APP).values["S3_ACCESS_KEY"].reveal() == "given"


def test_where_nothing_is_derived_an_operators_value_stands(store: FileStore) -> None:
    ensure(store)
    change(store, APP, S3_ENDPOINT="https://minio.example.test")
    held = keys.ensure(store, *PLACE, [one for one in SPECS if one.key == "S3_ENDPOINT"], at("own"))
    assert (held.drifted, held.values["app"]["S3_ENDPOINT"].reveal()) == ({}, "https://minio.example.test")


def test_a_value_of_ours_goes_when_nothing_is_derived_for_its_key_any_more(store: FileStore) -> None:
    assert ensure(store).values["app"]["S3_ENDPOINT"].reveal() == "http://db"
    foreseen = keys.pending(store, *PLACE, [ENDPOINT_OF_ANY], at("own"))
    assert foreseen.rewritten == {"app": ("S3_ENDPOINT",)}
    gone = keys.ensure(store, *PLACE, [ENDPOINT_OF_ANY], at("own"))
    assert (foreseen.versions, "S3_ENDPOINT" in store.get(APP).values) == (gone.versions, False)
    assert "DATABASE_URL" in store.get(APP).values
    assert keys.ensure(store, *PLACE, [ENDPOINT_OF_ANY], at("own")).unwritten == {}
    assert ensure(store).values["app"]["S3_ENDPOINT"].reveal() == "http://db"


def test_a_required_key_without_a_value_is_named(store: FileStore) -> None:
    spec = SecretSpec("app", "OPENROUTER_API_KEY", "operator", optional_in=LOCAL_ENVIRONMENTS)
    for env, missing in (("local", {}), ("staging", {"app": ("OPENROUTER_API_KEY",)})):
        assert keys.pending(store, "finance_report", env, [spec], at("db")).missing == missing
    store.put("finance_report/staging/app", {"OPENROUTER_API_KEY": Secret("")})
    assert keys.ensure(store, "finance_report", "staging", [spec], at("db")).missing == {
        "app": ("OPENROUTER_API_KEY",)
    }


def test_a_value_that_breaks_its_rule_is_named_and_not_shown(store: FileStore) -> None:
    ensure(store)
    change(store, APP, S3_ACCESS_KEY="two words")
    assert pending(store).unfit == ("app S3_ACCESS_KEY holds white space",)


def test_an_emptied_generated_key_is_made_again(store: FileStore) -> None:
    ensure(store)
    change(store, APP, SECRET_KEY="")
    assert ensure(store).generated == {"app": ("SECRET_KEY",)}


def test_drift_is_refused_by_name_before_anything_is_written(store: FileStore) -> None:
    ensure(store)
    change(store, APP, DATABASE_URL="pg://production-host", SECRET_KEY="")
    with pytest.raises(Refused) as refusal:
        ensure(store)
    assert "app DATABASE_URL" in str(refusal.value)
    assert "production-host" not in str(refusal.value)
    assert refusal.value.next_step == "./inv finance_report.app.setup --env local --repair-derived"
    assert store.get(APP).version == 2
    assert pending(store).drifted == {"app": ("DATABASE_URL",)}


def test_drift_is_repaired_on_request(store: FileStore) -> None:
    made = ensure(store)
    change(store, APP, DATABASE_URL="pg://production-host")
    assert pending(store, repair=True).rewritten == {"app": ("DATABASE_URL",)}
    assert ensure(store, repair=True).values == made.values
    assert pending(store).drifted == {}


def test_a_foreign_value_is_drift_also_where_nothing_of_ours_was_ever_written(store: FileStore) -> None:
    store.put(APP, {"DATABASE_URL": Secret("pg://by-hand")})
    assert pending(store).drifted == {"app": ("DATABASE_URL",)}


def test_a_crash_between_mark_and_value_makes_no_drift(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure(store)
    put = FileStore.put

    def die_at_the_app(
        self: FileStore, path: str, values: Mapping[str, Secret], cas: int | None = None
    ) -> int:
        if path == APP:
            raise KeyboardInterrupt
        return put(self, path, values, cas)

    for host in ("second", "third"):
        monkeypatch.setattr(FileStore, "put", die_at_the_app)
        with pytest.raises(KeyboardInterrupt):
            ensure(store, host)
        monkeypatch.undo()
        assert pending(store, "fourth").drifted == {}
    assert ensure(store, "fourth").rewritten == {"app": ("DATABASE_URL", "S3_ENDPOINT")}


def test_lost_marks_are_written_again_while_the_value_is_right(store: FileStore) -> None:
    ensure(store)
    store.purge("finance_report/local/_state/app/derived")
    assert ensure(store).unwritten == {}
    assert pending(store, "elsewhere").drifted == {}


def lose(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """Let another writer be faster that many times."""
    put, left = FileStore.put, [None] * times

    def be_late(self: FileStore, path: str, values: Mapping[str, Secret], cas: int | None = None) -> int:
        if path == POSTGRES and left:
            left.pop()
            put(self, path, {"POSTGRES_PASSWORD": Secret("theirs"), "LEGACY": Secret("old")})
        return put(self, path, values, cas)

    monkeypatch.setattr(FileStore, "put", be_late)


def test_a_lost_race_is_merged_once(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    lose(monkeypatch, times=1)
    made = ensure(store)
    assert made.values["postgres"]["POSTGRES_PASSWORD"].reveal() == "theirs"
    assert made.undeclared == {"postgres": ("LEGACY",)}
    password = made.values["postgres"]["APP_PASSWORD"].reveal()
    assert made.values["app"]["DATABASE_URL"].reveal() == f"pg://{password}@db"


def test_a_race_lost_twice_is_an_error(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    lose(monkeypatch, times=2)
    with pytest.raises(CasLost):
        ensure(store)


def test_a_deleted_path_is_an_error_and_never_generated_anew(store: FileStore) -> None:
    ensure(store)
    store.delete(POSTGRES)
    for act in (pending, ensure):
        with pytest.raises(DeletedVersion):
            act(store)
    assert store.metadata(POSTGRES).current == 1


def test_inputs_are_written_before_what_derives_from_them_and_marks_before_values(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, order = FileStore.put, list[str]()

    def note(self: FileStore, path: str, values: Mapping[str, Secret], cas: int | None = None) -> int:
        order.append(path)
        return put(self, path, values, cas)

    monkeypatch.setattr(FileStore, "put", note)
    ensure(store)
    assert order == [POSTGRES, "finance_report/local/_state/app/derived", APP]


def test_processes_that_start_at_once_agree_on_one_set_of_keys(store: FileStore, tmp_path: Path) -> None:
    script = f"""
import sys
sys.path[:0] = [{str(ROOT)!r}, {str(Path(__file__).parent)!r}]
from test_keys import *
ensure(FileStore(Path({str(tmp_path / "secrets")!r}), "local", Path("/checkout")))
"""
    runs = [subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE) for _ in range(4)]
    assert [run.communicate(timeout=60)[1] for run in runs] == [b""] * 4
    assert pending(store).unwritten == {}
    assert store.get(POSTGRES).version == 1


RENDERED = {
    "postgres": {"POSTGRES_PASSWORD": Secret("of the data"), "APP_PASSWORD": Secret("ab")},
    "app": {
        "SECRET_KEY": Secret("kept"),
        "S3_ACCESS_KEY": Secret("put by hand"),
        "DATABASE_URL": Secret("old"),
    },
}


def salvaged(store: FileStore) -> Keyring:
    return keys.ensure(store, *PLACE, SPECS, at("db"), rendered=lambda service: RENDERED.get(service, {}))


def test_keys_that_the_store_lost_are_put_back_from_what_lies_rendered(store: FileStore) -> None:
    forecast = keys.pending(store, *PLACE, SPECS, at("db"), rendered=lambda service: RENDERED[service])
    assert forecast.restored == {
        "app": ("S3_ACCESS_KEY", "SECRET_KEY"),
        "postgres": ("APP_PASSWORD", "POSTGRES_PASSWORD"),
    }
    made = salvaged(store)
    assert made.values["postgres"] == RENDERED["postgres"]
    assert made.values["app"]["S3_ACCESS_KEY"] == Secret("put by hand")
    assert made.values["app"]["DATABASE_URL"] == Secret("pg://ab@db"), "what is derived follows as ever"
    assert store.get(POSTGRES).values == RENDERED["postgres"]


def test_a_key_that_was_taken_out_of_a_store_that_stands_is_made_anew(store: FileStore) -> None:
    ensure(store)
    change(store, POSTGRES, POSTGRES_PASSWORD="")
    assert salvaged(store).values["postgres"]["POSTGRES_PASSWORD"] != Secret("of the data")
