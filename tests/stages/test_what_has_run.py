"""Whether an empty data folder is a loss or a first start: what the records tell."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra.model.record import SUMMARY, Record
from infra.stages import check
from infra.store.deploys import Records
from infra.store.file_store import FileStore
from infra.store.ledger import Ledger

WHOLE = {"apply": 1.0, "gate": 2.0}
CUT = {"apply": 1.0}
CASES: dict[str, tuple[list[tuple[str, dict[str, float]]], bool]] = {
    "nothing was ever deployed": ([], False),
    "one that is good": ([("ok", WHOLE)], True),
    "a first one that was ended before its data were made": ([("interrupted", CUT)], False),
    "a first one that failed before its data were made": ([("failed", CUT), ("failed", CUT)], False),
    "a first one that did not pass its gate": ([("failed", WHOLE)], True),
    "one that was killed while it ran": ([("interrupted", {})], True),
    "one that was ended after a good one": ([("ok", WHOLE), ("interrupted", CUT)], True),
    "a removed one": ([("ok", WHOLE), ("destroyed", {})], False),
    "one that was ended after a removed one": (
        [("ok", WHOLE), ("destroyed", {}), ("interrupted", CUT)],
        False,
    ),
}


@pytest.mark.parametrize(("story", "expected"), CASES.values(), ids=CASES)
def test_data_were_made_when_a_deploy_came_past_its_operations(
    tmp_path: Path, story: list[tuple[str, dict[str, float]]], *, expected: bool
) -> None:
    store = FileStore(tmp_path / "secrets", "local", tmp_path / "checkout")
    records = Records(Ledger(store, "shop", "local", SUMMARY))
    for number, (verdict, timings) in enumerate(story):
        records.append(record(f"2026010{number}T000000000-aa", verdict, timings))
    session: Any = SimpleNamespace(records=records)
    assert check._has_run(session, "store") == expected


def record(deploy: str, verdict: str, timings: dict[str, float]) -> Record:
    return Record(
        deploy=deploy,
        service="store",
        environment="local",
        target="process",
        rehearsal=False,
        actor="alice",
        started="",
        finished="",
        verdict=verdict,
        release="",
        bundle_digest="",
        timings=timings,
    )
