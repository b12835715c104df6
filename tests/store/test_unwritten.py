"""Records that wait for a ledger that takes them: in their order, in the first folder that has room."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.model.errors import Unwritable
from infra.model.record import Record
from infra.store.unwritten import Unwritten


def record(deploy: str, service: str = "web") -> Record:
    return Record(deploy, service, "local", "process", False, "somebody", "", "", "ok", "", "")


def test_they_keep_the_order_in_which_they_came_whatever_the_clock_did(tmp_path: Path) -> None:
    waiting = Unwritten((tmp_path,))
    came = [record("20300101T000000000-aaaa"), record("20200101T000000000-bbbb")]
    assert [waiting.keep(one) for one in came] == [True, True]
    assert waiting.records() == came
    waiting.forget(came[0])
    waiting.keep(record("20100101T000000000-cccc"))
    assert [one.deploy[-4:] for one in waiting.records()] == ["bbbb", "cccc"]


def test_one_service_is_forgotten_and_the_others_of_its_deploy_wait_on(tmp_path: Path) -> None:
    waiting = Unwritten((tmp_path,))
    for service in ("web", "app"):
        waiting.keep(record("20300101T000000000-aaaa", service))
    waiting.forget(record("20300101T000000000-aaaa", "web"))
    assert [one.service for one in waiting.records()] == ["app"]


def test_where_one_folder_takes_none_the_next_one_does_and_without_any_it_is_said(
    tmp_path: Path,
) -> None:
    missing, memory = tmp_path / "missing", tmp_path / "memory"
    assert not Unwritten((missing,)).keep(record("20300101T000000000-aaaa"))
    memory.mkdir()
    assert Unwritten((missing, memory)).keep(record("20300101T000000000-aaaa"))
    assert len(list(memory.iterdir())) == 1


def test_one_that_cannot_be_removed_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = Unwritten((tmp_path,))
    waiting.keep(record("20300101T000000000-aaaa"))

    def bars(file: Path, **_: object) -> None:
        raise OSError(30, "Read-only file system", str(file))

    monkeypatch.setattr(Path, "unlink", bars)
    with pytest.raises(Unwritable):
        waiting.forget(record("20300101T000000000-aaaa"))
