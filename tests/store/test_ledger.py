"""The ledger, in each kind of store: what was deployed, newest first, whole while it may be needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.model.errors import BadInput, CasLost
from infra.store.file_store import FileStore
from infra.store.interface import Store
from infra.store.ledger import Ledger


@pytest.fixture
def ledger(store: Store) -> Ledger:
    return in_store(store)


def in_store(store: Store) -> Ledger:
    return Ledger(store, "finance_report", "local", ("deploy", "verdict"))


def record(number: int, verdict: str = "ok") -> dict[str, Any]:
    return {"deploy": name(number), "verdict": verdict, "bundle": {"units": [number, None, "größe"]}}


def name(number: int) -> str:
    return f"20260102T0304{number:02}000-ab"


def fill(ledger: Ledger, verdicts: list[str]) -> None:
    for number, verdict in enumerate(verdicts):
        ledger.append("app", name(number), record(number, verdict))


def whole(ledger: Ledger) -> list[int]:
    held = ledger.list("app")
    return sorted(
        number
        for number in range(len(held))
        if record(number, "ok")["bundle"] in [one.get("bundle") for one in held]
    )


def test_an_empty_ledger_has_no_newest_record(ledger: Ledger) -> None:
    assert ledger.list("app") == ()
    assert ledger.newest("app") is None


def test_records_come_back_as_they_were_newest_first(ledger: Ledger) -> None:
    fill(ledger, ["ok", "failed", "ok"])
    assert ledger.list("app") == (record(2), record(1, "failed"), record(0))
    assert ledger.list("app", limit=2) == (record(2), record(1, "failed"))
    assert ledger.newest("app") == record(2)


def test_services_have_records_of_their_own_and_other_state_is_none(ledger: Ledger, store: Store) -> None:
    from infra.store import records

    ledger.append("postgres", name(1), record(1))
    records.write(store, "finance_report/local/_state/app/derived", {"URL": []})
    assert ledger.list("app") == ()
    assert ledger.newest("postgres") == record(1)


def test_an_id_that_is_no_name_is_refused(ledger: Ledger) -> None:
    with pytest.raises(BadInput):
        ledger.append("app", "../lease", record(1))
    assert ledger.list("app") == ()


def test_the_same_record_twice_is_one_and_another_of_its_id_is_refused(ledger: Ledger) -> None:
    ledger.append("app", name(1), record(1))
    ledger.append("app", name(1), record(1))
    with pytest.raises(CasLost):
        ledger.append("app", name(1), record(1, "failed"))
    assert ledger.list("app") == (record(1),)


def test_the_order_is_that_of_writing_whatever_the_clock_did(ledger: Ledger) -> None:
    for number in (30, 31, 5, 6):  # the clock jumped back between the second and the third
        ledger.append("app", name(number), record(number))
    assert [one["deploy"] for one in ledger.list("app")] == [name(6), name(5), name(31), name(30)]
    assert ledger.newest("app") == record(6)
    assert next(ledger.walk("app")) == record(6)


def test_a_clock_that_jumped_back_shortens_the_oldest_and_not_the_newest(ledger: Ledger) -> None:
    order = [*range(40, 50), *range(8)]
    for number in order:
        ledger.append("app", name(number), record(number))
    kept = [one["deploy"] for one in ledger.list("app") if "bundle" in one]
    assert kept == [name(number) for number in reversed(order[-10:])]


def test_records_of_a_version_before_come_first_and_keep_their_order(ledger: Ledger, store: Store) -> None:
    from infra.store import records

    for number in (20, 22, 21):
        records.write(store, f"finance_report/local/_state/app/{name(number)}", record(number), cas=0)
    assert ledger.newest("app") == record(22)
    ledger.append("app", name(3), record(3))
    ledger.append("app", name(21), record(21))
    assert [one["deploy"] for one in ledger.list("app")] == [name(3), name(22), name(21), name(20)]


def test_the_last_ten_are_whole_and_older_ones_keep_their_summary(ledger: Ledger) -> None:
    fill(ledger, ["ok"] * 13)
    assert whole(ledger) == list(range(3, 13))
    assert ledger.list("app")[-1] == {"deploy": name(0), "verdict": "ok"}


def test_a_shortened_record_is_written_once_and_then_left_alone(ledger: Ledger, store: Store) -> None:
    fill(ledger, ["ok"] * 15)
    assert store.metadata(f"finance_report/local/_state/app/00000001-{name(0)}").current == 2


def test_the_newest_good_one_stays_whole_however_many_failed_since(ledger: Ledger) -> None:
    fill(ledger, ["ok", "ok"] + ["failed"] * 14)
    assert whole(ledger) == [1, *range(6, 16)]


def test_a_shortened_record_takes_no_room_in_a_file_for_what_it_lost(tmp_path: Path) -> None:
    fill(in_store(FileStore(tmp_path / "secrets", "local", tmp_path / "checkout")), ["ok"] * 12)
    assert (tmp_path / "secrets/local.state.json").read_text().count("units") == 10
