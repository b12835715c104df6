"""A value with characters that nobody sees is said and asked for again, and is never taken silently."""

from __future__ import annotations

import getpass
import io
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import finance_report
from infra.console import Console
from infra.invocation import Command
from infra.model.errors import BadInput
from infra.model.redaction import Redactor
from infra.model.verdict import Outcome
from infra.vault.desk import Desk, open_desk
from infra.vault.put import put
from tasks.root import ROOT

PLACE = ("app", "OPENROUTER_API_KEY")
NAME = " ".join(PLACE)
AGAIN = f"./inv vault.put --env local --service {PLACE[0]} --key {PLACE[1]}"
GOOD = "sk-or-v1-0123456789abcdef"
ODD = {
    "a byte order mark": (
        f"\ufeff{GOOD}",
        "invisible character (U+FEFF, zero width no-break space) at position 1",
    ),
    "a zero width space": (
        f"sk-\u200b{GOOD}",
        "invisible character (U+200B, zero width space) at position 4",
    ),
    "a turn of direction": (
        f"{GOOD}\u202e",
        "invisible character (U+202E, right-to-left override) at position 26",
    ),
    "an escape sequence": (f"\x1b[31m{GOOD}", "control character (U+001B, escape) at position 1"),
    "a bell": (f"{GOOD}\x07", "control character (U+0007) at position 26"),
}
BLANK = {
    "a hard blank at the end": (f"{GOOD}\xa0", "white space (U+00A0, no-break space) at position 26"),
    "a blank at the start": (f" {GOOD}", "white space (U+0020, space) at position 1"),
    "two line ends": (f"{GOOD}\n\n", "control character (U+000A, line end) at position 26"),
}

Answer = str | Exception
Typed = Callable[..., list[Answer]]


@pytest.fixture
def desk() -> Iterator[Desk]:
    with tempfile.TemporaryDirectory(prefix="home-") as home:
        Path(home).chmod(0o755)
        folders = {"XDG_STATE_HOME": f"{home}/state", "XDG_DATA_HOME": f"{home}/share"}
        redactor = Redactor()
        this = Command(Outcome("x", ""), Console(redactor), redactor, ROOT, {**os.environ, **folders})
        yield open_desk(this, finance_report.PROJECT, "local", "")


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Give a function that puts a text on stdin."""

    def pipe(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    return pipe


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Typed:
    """Give a function that has a person type these answers; what is left of them comes back."""

    def type_(*answers: Answer) -> list[Answer]:
        left = list(answers)

        def answer(_prompt: str) -> str:
            now = left.pop(0)
            if isinstance(now, Exception):
                raise now
            return now

        monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
        monkeypatch.setattr(getpass, "getpass", answer)
        return left

    return type_


def kept(desk: Desk) -> str | None:
    values = desk.keys.readable().get(PLACE[0], {})
    return values[PLACE[1]].reveal() if PLACE[1] in values else None


@pytest.mark.parametrize(("value", "words"), [*ODD.values(), *BLANK.values()], ids=[*ODD, *BLANK])
def test_from_a_pipe_it_is_refused_with_kind_and_place_and_nothing_is_written(
    desk: Desk, piped: Callable[[str], None], value: str, words: str
) -> None:
    piped(value)
    with pytest.raises(BadInput) as refused:
        put(desk, *PLACE, yes=False)
    assert f"{NAME} holds " in refused.value.message
    assert words in refused.value.message
    assert refused.value.message.endswith("; nothing was written")
    assert ("--as-is" in refused.value.message) is (value in [odd for odd, _ in ODD.values()])
    assert refused.value.next_step == AGAIN
    assert GOOD not in str(vars(refused.value))
    assert kept(desk) is None


@pytest.mark.parametrize("value", [value for value, _ in ODD.values()], ids=ODD)
def test_as_is_it_is_kept_byte_for_byte(desk: Desk, piped: Callable[[str], None], value: str) -> None:
    piped(f"{value}\n")
    put(desk, *PLACE, yes=False, as_is=True)
    assert kept(desk) == value


@pytest.mark.parametrize("value", [value for value, _ in BLANK.values()], ids=BLANK)
def test_white_space_is_against_the_rule_of_operators_keys_also_as_it_is(
    desk: Desk, piped: Callable[[str], None], value: str
) -> None:
    piped(value)
    with pytest.raises(BadInput):
        put(desk, *PLACE, yes=False, as_is=True)


def test_a_person_is_asked_again(desk: Desk, typed: Typed, capsys: pytest.CaptureFixture[str]) -> None:
    no_text = UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x")
    typed(no_text, f"\u200b{GOOD}", GOOD)
    put(desk, *PLACE, yes=False)
    assert kept(desk) == GOOD
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("!")]
    assert [line.removesuffix("; nothing was written. Once more:") for line in said] == [
        f"! {NAME} is no UTF-8 text",
        f"! {NAME} holds an invisible character (U+200B, zero width space) at position 1 (--as-is takes it)",
    ]


def test_a_person_is_asked_three_times_and_may_leave(desk: Desk, typed: Typed) -> None:
    left = typed("", "two words", f"{GOOD}\ufeff", GOOD)
    with pytest.raises(BadInput, match=r"U\+FEFF"):
        put(desk, *PLACE, yes=False)
    assert left == [GOOD]
    typed(EOFError())
    with pytest.raises(BadInput, match="no value was typed"):
        put(desk, *PLACE, yes=False)
    assert kept(desk) is None
