"""The tests' output on its way to a person."""

from __future__ import annotations

import os
import threading

import pytest

from infra.model.redaction import Redactor
from infra.model.secret import MASK, Secret
from infra.testing.output import LONGEST, Output


def shown(*pieces: bytes) -> list[str]:
    seen: list[str] = []
    with Output(seen.append) as output:
        for piece in pieces:
            os.write(output.number, piece)
    return seen


def test_lines_are_handed_on_whole_so_that_no_secret_is_cut_in_two() -> None:
    half = threading.Event()
    seen: list[str] = []

    def show(text: str) -> None:
        seen.append(text)
        half.set()

    with Output(show) as output:
        os.write(output.number, b"first\nsec")
        assert half.wait(5)
        os.write(output.number, b"ret\n")
    assert seen[0] == "first\n"
    assert all("ret" not in one or "secret" in one for one in seen)
    assert "".join(seen) == "first\nsecret\n"


@pytest.mark.parametrize("dots", [b"..", b".F.x"])
def test_a_row_of_progress_marks_is_shown_before_its_line_ends(dots: bytes) -> None:
    arrived = threading.Event()
    with Output(lambda _text: arrived.set()) as output:
        os.write(output.number, dots)
        assert arrived.wait(5)


def test_the_last_line_is_shown_without_its_end() -> None:
    assert "".join(shown(b"done\n", b"no line end")) == "done\nno line end"


def test_bytes_that_are_no_text_stop_nothing() -> None:
    assert "".join(shown(b"\xff\xfe\n", b"after\n")).endswith("after\n")


def test_somebody_who_still_holds_the_other_end_delays_nothing() -> None:
    seen: list[str] = []
    with Output(seen.append) as output:
        kept = os.dup(output.number)
        os.write(kept, b"said\n")
    os.close(kept)
    assert seen == ["said\n"]


def test_a_line_that_is_too_long_is_cut_and_said_so_and_no_secret_is_shown_in_two_pieces() -> None:
    redactor, told = Redactor(), []
    redactor.learn(Secret("correct-horse-battery"))
    with Output(lambda text: told.append(redactor.redact(text))) as output:
        for piece in (b"x" * LONGEST + b" correct-ho", b"rse-battery", b"y\nlast\n"):
            output._take(piece)  # a pipe would join them as it likes
    assert told[0].endswith(f"x {MASK}… (cut: a line of over {LONGEST} bytes)\n")
    assert told[1:] == ["last\n"]
