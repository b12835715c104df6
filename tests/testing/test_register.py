"""The runner list: what cannot be read is unknown, and who has provably ended is gone."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from infra.model.errors import InfraError
from infra.model.observed import Found, Unknown
from infra.model.runner import Identity, RunnerList
from infra.testing.register import Register, is_gone, living, this_runner

IDENTITY = Identity("feature-auth", "", "", "/app")


@pytest.fixture
def register(tmp_path: Path) -> Register:
    return Register("finance_report", {"XDG_CACHE_HOME": str(tmp_path)})


def test_no_list_is_an_empty_one_and_a_written_one_is_read_back(register: Register) -> None:
    assert register.read() == Found(RunnerList())
    known = RunnerList().having(this_runner("run", "feature_auth", IDENTITY, "here", 1))
    with register.locked():
        register.write(known)
    assert register.read() == Found(known)
    assert (register.file.stat().st_mode & 0o777, register.folder.stat().st_mode & 0o777) == (0o600, 0o700)
    assert (register.folder / "db.lock").exists()


@pytest.mark.parametrize(
    "text", ["", "{ no list", "[]", "null", '{"schema": 9}', '{"schema": 1, "runners": [{}]}']
)
def test_a_list_that_cannot_be_understood_is_unknown_and_never_empty(register: Register, text: str) -> None:
    with register.locked():
        register.write(RunnerList())
    register.file.write_text(text, encoding="utf-8")
    assert isinstance(register.read(), Unknown)


def test_a_list_that_others_could_have_written_is_unknown(register: Register) -> None:
    with register.locked():
        register.write(RunnerList())
    register.file.chmod(0o666)
    assert isinstance(register.read(), Unknown)


def test_a_process_that_ended_is_gone_and_so_is_one_whose_number_was_given_away() -> None:
    mine = this_runner("run", "feature_auth", IDENTITY, "here", 1)
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
        assert is_gone(replace(mine, pid=child.pid, start_time="1"))
    assert is_gone(replace(mine, start_time="1")), "the number is ours now, and was another's"
    assert not is_gone(mine)
    assert living([mine, replace(mine, start_time="1")]) == (mine,)


def test_who_cannot_be_looked_at_is_not_gone() -> None:
    """On another host, or in another table of processes."""
    mine = this_runner("run", "feature_auth", IDENTITY, "here", 1)
    assert not is_gone(replace(mine, host="elsewhere", start_time="1"))
    assert not is_gone(replace(mine, boot="", start_time="1"))


def test_two_starts_in_one_moment_take_turns(register: Register) -> None:
    """Each adds itself to what it read: without the lock some would be lost."""

    def enter(number: int) -> None:
        with register.locked():
            seen = register.read()
            assert isinstance(seen, Found)
            mine = this_runner(f"run-{number}", f"n{number}", IDENTITY, "here", number)
            register.write(seen.fact.having(mine))

    threads = [threading.Thread(target=enter, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(json.loads(register.file.read_text())["runners"]) == 8


def test_a_lock_that_is_not_let_go_is_told(register: Register) -> None:
    with register.locked(), pytest.raises(InfraError, match=r"db\.lock"), register.locked(patience=0.05):
        pass
