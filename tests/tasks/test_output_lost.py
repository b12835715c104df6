"""Output that cannot be written decides nothing: changes and verdicts go on, listings end."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.invocation import Command
from infra.model.errors import KnownBad
from infra.streams import ReaderGone, Stream
from tasks.command import Kind
from tasks.conduct import conduct
from tasks.root import ROOT

CHANGES, LISTS, JUDGES = Kind(changes=True), Kind(lists=True), Kind()
LINES = 5


class Broken(io.StringIO):
    """A stream that takes so many writes, then none."""

    def __init__(self, takes: int, number: int) -> None:
        super().__init__()
        self.takes, self.number = takes, number

    def write(self, text: str) -> int:
        if not self.takes:
            raise OSError(self.number, os.strerror(self.number))
        self.takes -= 1
        return super().write(text)


@pytest.fixture
def streams(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int], tuple[Broken, Broken]]:
    """Make both streams break after so many writes, with this error."""

    def make(takes: int, number: int) -> tuple[Broken, Broken]:
        made = Broken(takes, number), Broken(takes, number)
        for name, stream in zip(("stdout", "stderr"), made, strict=True):
            monkeypatch.setattr(sys, name, stream)
        return made

    return make


def work(done: list[int]) -> Callable[[Command], None]:
    def body(this: Command) -> None:
        for number in range(LINES):
            this.console.line(f"step {number}")
            this.console.answer(f"answer {number}")
            done.append(number)

    return body


@pytest.mark.parametrize("number", [errno.EPIPE, errno.EIO, errno.EBADF, errno.ENOSPC])
@pytest.mark.parametrize("kind", [CHANGES, JUDGES])
def test_a_change_and_a_verdict_go_on_without_their_reader(
    kind: Kind, number: int, streams: Callable[[int, int], tuple[Broken, Broken]]
) -> None:
    done: list[int] = []
    streams(2, number)
    assert conduct("x.setup", work(done), {}, kind) == 0
    assert done == list(range(LINES))


@pytest.mark.parametrize(
    ("number", "code"), [(errno.EPIPE, 0), (errno.EIO, 0), (errno.EBADF, 0), (errno.ENOSPC, 2)]
)
@pytest.mark.parametrize("as_json", [False, True])
def test_a_listing_ends_with_its_reader_and_a_full_disk_is_told(
    number: int, code: int, as_json: bool, streams: Callable[[int, int], tuple[Broken, Broken]]
) -> None:
    done: list[int] = []
    streams(0 if as_json else 2, number)
    assert conduct("x.logs", work(done), {"json": as_json}, LISTS) == code
    assert done == (list(range(LINES)) if as_json else [0, 1])


def refuses(this: Command) -> None:
    this.outcome.changes.append("start unit backend")
    raise KnownBad("it does not serve", next_step="./inv doctor")


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (work([]), CHANGES, 4),
        (refuses, CHANGES, 1),
        (work([]), JUDGES, 0),
        (refuses, JUDGES, 1),
    ],
)
def test_an_object_that_is_not_written_whole_is_4_after_a_good_change_alone(
    body: Callable[[Command], None],
    kind: Kind,
    code: int,
    streams: Callable[[int, int], tuple[Broken, Broken]],
) -> None:
    streams(0, errno.ENOSPC)
    assert conduct("x.setup", body, {"json": True}, kind) == code


def test_after_the_first_failure_nothing_more_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Broken(1, errno.ENOSPC)
    monkeypatch.setattr(sys, "stdout", stream)
    output = Stream("stdout")
    output.write("one ")
    output.write("two ")
    stream.takes = 9
    output.write("three")
    assert stream.getvalue() == "one "
    assert output.fault is not None
    assert not output.isatty()


def test_a_stream_that_was_closed_before_the_start_has_no_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(ReaderGone) as gone:
        Stream("stdout", ends=True).write("text")
    assert gone.value.is_quiet


@pytest.fixture
def home() -> Iterator[dict[str, str]]:
    """The variables of somebody without any state, where the database's user can enter."""
    with tempfile.TemporaryDirectory(prefix="home-") as folder:
        Path(folder).chmod(0o755)
        yield {"PATH": os.environ["PATH"], "HOME": folder, "XDG_STATE_HOME": f"{folder}/state"}


def ended(words: str, redirection: str, home: dict[str, str]) -> tuple[int, str]:
    """Give the code of a command whose output goes to a place that takes none, and what it complained of."""
    script = f'"{sys.executable}" -m invoke {words} {redirection}; echo "code $?" >&2'
    done = subprocess.run(
        ["bash", "-c", script], cwd=ROOT, env=home, capture_output=True, text=True, check=True, timeout=60
    )
    *lines, code = done.stderr.splitlines()
    return int(code.removeprefix("code ")), "\n".join(lines)


CLOSED = "> >(exec <&-)"  # a reader that goes away at once


@pytest.mark.parametrize(
    ("words", "redirection", "code"),
    [
        ("--list", CLOSED, 0),
        ("--list", ">/dev/full", 2),
        ("--list", ">&-", 0),
        ("env.show", CLOSED, 0),
        ("env.show", ">/dev/full", 2),
        ("finance_report.redis.plan", f"2{CLOSED}", 3),
        ("finance_report.redis.plan --json", ">/dev/full", 3),
        ("finance_report.redis.plan --json", ">&- 2>&-", 3),
    ],
)
def test_a_command_whose_output_goes_nowhere_keeps_its_code_and_shows_no_traceback(
    words: str, redirection: str, code: int, home: dict[str, str]
) -> None:
    found, said = ended(words, redirection, home)
    assert found == code, said
    assert "Traceback" not in said
    assert "Exception ignored" not in said
    assert "a fault of this tool" not in said


def test_an_object_that_is_read_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert conduct("x.setup", work([]), {"json": True}, CHANGES) == 0
    assert json.loads(capsys.readouterr().out)["exit_code"] == 0


def test_what_is_opened_later_never_gets_the_number_of_a_stream_that_was_closed(home: dict[str, str]) -> None:
    script = (
        "import os, tasks; os.close(1); tasks._guard_streams(is_listing=False)\n"
        "os._exit(os.open(os.devnull, os.O_RDONLY))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=home, check=False, timeout=60)
    assert done.returncode > 2
