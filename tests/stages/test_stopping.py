"""What only stops goes on where nothing can be written, at each write, and never over a living holder."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra.model.errors import Denied, LeaseHeld, NotCleaned, StoreError
from infra.model.lease import Lease
from infra.model.verdict import Outcome
from infra.session import Request
from infra.stopping import noting, stopping, writing
from infra.store import leases, owner, private_file, records
from infra.store.claim import Claim
from infra.store.file_store import FileStore
from infra.store.paths import lease_path

PATH = lease_path("finance_report", "local")
CANNOT = {"full": errno.ENOSPC, "over quota": errno.EDQUOT, "read-only": errno.EROFS, "denied": errno.EACCES}
BROKEN = {"damaged": StoreError("damaged"), "not private": Denied("has mode 0644")}


@pytest.fixture
def session(tmp_path: Path) -> Any:
    store = FileStore(tmp_path / "secrets", "local", tmp_path / "checkout")
    records.write(store, PATH, {})
    return SimpleNamespace(
        project=SimpleNamespace(name="finance_report"),
        store_path="local",
        store=store,
        claim=Claim(),
        actor="alice",
        outcome=Outcome("finance_report.down", "local", outcome="stopped"),
        console=SimpleNamespace(show=lambda _text: None, line=lambda _text: None),
        commands=SimpleNamespace(choice="--env local"),
        now=lambda: datetime.now(UTC),
        say=lambda task: f"./inv finance_report.{task}",
    )


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, str], None]:
    """Make a write point of private files fail: the new file, or its lock."""

    def fail(number: int, point: str) -> None:
        def raises(*_: object, **__: object) -> None:
            raise OSError(number, os.strerror(number), "somewhere")

        if point == "write":
            monkeypatch.setattr(private_file, "_write_through", raises)
        else:
            real = os.open

            def opened(path: Any, flags: int, *more: Any, **named: Any) -> int:
                if str(path).endswith(".lock"):
                    raises()
                return real(path, flags, *more, **named)

            monkeypatch.setattr(os, "open", opened)

    return fail


@pytest.mark.parametrize("point", ["write", "lock"])
@pytest.mark.parametrize("number", CANNOT.values(), ids=CANNOT)
def test_a_lease_that_cannot_be_written_stops_no_stop_and_is_said(
    session: Any, failing: Callable[[int, str], None], number: int, point: str
) -> None:
    failing(number, point)
    done: list[str] = []
    with pytest.raises(NotCleaned) as told, stopping(session, Request(())):
        done.append("stopped")
    assert done == ["stopped"]
    assert told.value.exit_code == 4
    assert told.value.message.startswith("stopped, but not all")
    (line,) = told.value.evidence
    assert line.startswith("the lease, which nobody holds: ")
    assert session.claim == Claim()


def holder(**change: Any) -> Lease:
    return replace(owner.this_process("bob", "theirs", "setup"), **change)


HOLDERS = {
    "a living one": (holder(), True),
    "a dead one": (holder(pid=999_999_999), False),
    "one of another machine": (holder(host="elsewhere", boot="m b n"), True),
}


@pytest.mark.parametrize(("theirs", "is_held"), HOLDERS.values(), ids=HOLDERS)
def test_who_holds_it_is_read_and_respected(
    session: Any, failing: Callable[[int, str], None], theirs: Lease, *, is_held: bool
) -> None:
    leases.acquire(session.store, PATH, theirs, session.now)
    failing(errno.ENOSPC, "write")
    done: list[str] = []
    with pytest.raises(LeaseHeld if is_held else NotCleaned), stopping(session, Request(())):
        done.append("stopped")
    assert bool(done) != is_held


@pytest.mark.parametrize("error", BROKEN.values(), ids=BROKEN)
def test_a_store_that_cannot_be_read_keeps_it_from_being_sure(
    session: Any, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def raises(*_: object) -> None:
        raise error

    monkeypatch.setattr(session.store, "get", raises)
    with pytest.raises(type(error)), stopping(session, Request(())):
        pytest.fail("nothing is stopped")


def test_what_was_noted_inside_is_told_once_by_the_outermost(session: Any) -> None:
    def stop() -> None:
        with stopping(session, Request(())), writing(session, "a record"):
            raise Denied("no leave")

    def stop_twice() -> None:
        with noting(session):
            stop()
            stop()

    with pytest.raises(NotCleaned) as told:
        stop_twice()
    assert told.value.evidence == ("a record: no leave",)


def test_where_all_could_be_written_nothing_is_told_and_the_lease_is_free(session: Any) -> None:
    with ExitStack() as stack:
        stack.enter_context(stopping(session, Request(())))
        assert leases.standing(session.store, PATH)
    assert leases.standing(session.store, PATH) is None
