"""What is read of a unit's output: whole lines, by pieces, with an end however much is written."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.model.redaction import Redactor
from infra.model.secret import MASK, Secret
from infra.targets.process import logfiles

ENOUGH = 64 * 1024 * 1024


def written(folder: Path, content: bytes, older: bytes = b"") -> Path:
    log = folder / "unit.log"
    log.write_bytes(content)
    if older:
        log.with_name("unit.log.1").write_bytes(older)
    return log


def followed(log: Path, place: int = 0) -> list[str]:
    """Give all lines after a place, as somebody who follows gets them."""
    found: list[str] = []
    while True:
        lines, after = logfiles.since(log, place)
        if after == place:
            return found
        found, place = found + lines, after


def sparse(folder: Path, end: bytes) -> Path:
    """Make a log that is a gigabyte long, with one line before its end."""
    log = folder / "unit.log"
    with log.open("wb") as file:
        file.truncate(1 << 30)
        file.seek(1 << 30)
        file.write(end)
    return log


def test_the_tail_is_the_last_lines_of_both_files(tmp_path: Path) -> None:
    log = written(tmp_path, b"three\nfour\n", older=b"one\ntwo\n")
    assert logfiles.tail(log, 3).lines == ["two", "three", "four"]
    assert logfiles.tail(log, 1).lines == ["four"]
    assert logfiles.tail(log, 100).lines == ["one", "two", "three", "four"]
    assert logfiles.tail(log, 0).lines == []
    assert logfiles.tail(tmp_path / "none.log", 5) == ([], "", 0)


def test_a_line_that_the_rotation_cut_in_two_is_one_line_again(tmp_path: Path) -> None:
    assert logfiles.tail(written(tmp_path, b"ee\nfour\n", older=b"one\nthr"), 2).lines == ["three", "four"]


@pytest.mark.parametrize("sign", ["\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"], ids=ascii)
def test_only_a_line_feed_ends_a_line(tmp_path: Path, sign: str) -> None:
    log = written(tmp_path, f"user {sign}2026 LOG: all is well\n".encode())
    assert logfiles.tail(log, 9).lines == followed(log) == [f"user {sign}2026 LOG: all is well"]


def test_a_carriage_return_before_the_line_feed_belongs_to_the_line_end(tmp_path: Path) -> None:
    assert logfiles.tail(written(tmp_path, b"one\r\ntwo\r\n"), 9).lines == ["one", "two"]


def test_bytes_that_are_no_text_are_written_out(tmp_path: Path) -> None:
    assert logfiles.tail(written(tmp_path, b"caf\xe9 \x9b31m\n"), 1).lines == [r"caf\xe9 \x9b31m"]


def test_a_line_that_has_no_end_yet_is_marked_and_followed_once_it_is_whole(tmp_path: Path) -> None:
    log = written(tmp_path, b"one\npassword is correct-ho")
    end = logfiles.tail(log, 5)
    assert (end.lines, end.begun) == (["one"], "password is correct-ho…")
    assert followed(log, end.place) == []
    with log.open("ab") as file:
        file.write(b"rse-battery\nnext\n")
    assert followed(log, end.place) == ["password is correct-horse-battery", "next"]


def test_a_secret_whose_end_is_not_there_yet_or_was_cut_is_masked(tmp_path: Path) -> None:
    redactor = Redactor()
    redactor.learn(Secret("correct-horse-battery"))
    begun = logfiles.tail(written(tmp_path, b"is correct-ho"), 1).begun
    filled = b"x" * (logfiles.LONGEST - 10)
    whole = logfiles.tail(written(tmp_path, filled + b"correct-horse-battery" + filled + b"\n"), 1).lines[0]
    assert redactor.redact(begun) == f"is {MASK}…"
    assert "correct" not in redactor.redact(whole)


@pytest.mark.parametrize("size", [logfiles.LONGEST + 1, logfiles.PIECE, logfiles.PIECE * 3 + 7])
def test_a_line_that_is_too_long_is_cut_and_said_so(tmp_path: Path, size: int) -> None:
    log = written(tmp_path, b"one\n" + b"x" * size + b"\nthree\n")
    for lines in (logfiles.tail(log, 3).lines, followed(log)):
        first, cut, last = lines
        assert (first, last) == ("one", "three")
        assert len(cut) < logfiles.LONGEST + 80
        assert "… (cut: a line of " in cut
    assert f"a line of {size} bytes" in logfiles.tail(log, 3).lines[1]


def test_a_log_that_was_emptied_goes_on_from_its_beginning(tmp_path: Path) -> None:
    log = written(tmp_path, b"one\ntwo\n")
    lines, place = logfiles.since(log, 0)
    log.write_bytes(b"new\n")
    assert (lines, logfiles.since(log, place)) == (["one", "two"], (["new"], 4))


READERS: dict[str, Callable[[Path], object]] = {
    "tail": lambda log: logfiles.tail(log, 200),
    "all that there is": lambda log: logfiles.tail(log, 10**9),
    "since": lambda log: logfiles.since(log, 0),
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
@pytest.mark.parametrize("end", [b"\nlast\n", b""], ids=["with a line after it", "without any line"])
def test_a_gigabyte_without_a_line_end_takes_no_memory(
    tmp_path: Path, read: Callable[[Path], object], end: bytes
) -> None:
    log = sparse(tmp_path, end)
    tracemalloc.start()
    try:
        read(log)
        assert tracemalloc.get_traced_memory()[1] < ENOUGH
    finally:
        tracemalloc.stop()
    assert (
        logfiles.tail(log, 1).lines[-1] == "last"
        if end
        else "cut: a line of" in logfiles.tail(log, 1).lines[-1]
    )
