"""The records of an environment: what a rollback and a status ask of them, whatever the clock did."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from infra.model.record import SUMMARY, Record
from infra.model.unit import Bundle
from infra.store import owner
from infra.store.deploys import Records
from infra.store.file_store import FileStore
from infra.store.ledger import Ledger

LATE, EARLY = "2031-01-02T03:04:05Z", "1970-01-01T00:00:07Z"
BUNDLE = Bundle("app", (), "1" * 40, ())


@pytest.fixture
def records(tmp_path: Path) -> Records:
    store = FileStore(tmp_path / "secrets", "local", tmp_path / "checkout")
    return Records(Ledger(store, "finance_report", "local", SUMMARY))


def record(deploy: str, moment: str, verdict: str = "ok") -> Record:
    return Record(
        deploy=deploy,
        service="app",
        environment="local",
        target="process",
        rehearsal=False,
        actor="alice",
        started=moment,
        finished=moment,
        verdict=verdict,
        release="1" * 40,
        bundle_digest="2" * 64,
        bundle=BUNDLE,
    )


def test_newest_and_last_good_are_the_last_ones_written_after_a_jump_back(records: Records) -> None:
    records.append(record("20310102T030405000-aa", LATE))
    records.append(record("19700101T000007000-bb", EARLY))
    records.append(record("19700101T000009000-cc", EARLY, "failed"))
    assert [one.deploy[-2:] for one in records.all("app")] == ["cc", "bb", "aa"]
    newest, good = records.newest("app"), records.last_good("app")
    assert newest
    assert good
    assert (newest.deploy[-2:], good.deploy[-2:]) == ("cc", "bb")
    before = records.last_good("app", other_than=good.deploy)
    assert before
    assert before.deploy[-2:] == "aa"


def test_a_record_knows_the_boot_that_it_was_written_in(records: Records) -> None:
    """So that a unit that is down is said to be down since the boot by no clock that may have jumped."""
    records.append(record("20310102T030405000-aa", LATE))
    newest = records.newest("app")
    assert newest
    assert newest.boot == owner.boot()
    assert not owner.has_rebooted(newest.boot)
    machine, _, table = newest.boot.split()
    assert owner.has_rebooted(f"{machine} another {table}") == (machine != "unknown")
    assert not owner.has_rebooted(f"elsewhere another {table}")
    assert not owner.has_rebooted(replace(newest, boot="").boot)
