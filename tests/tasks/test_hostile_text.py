"""Text of others never reaches a terminal as anything but text: one table of texts, one of ways to print."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from invoke.exceptions import Exit

import tasks
from infra.console import Console
from infra.model.errors import BadInput, KnownBad
from infra.model.redaction import Redactor
from infra.model.secret import MASK, Secret
from infra.targets.process import ports
from infra.workspace import settings_file

HOSTILE = {
    "colour": "\x1b[31mred",
    "erased line": "\x1b[2K\r✓ all is well",
    "title and answer": "\x1b]0;title\x07\x1b[6n",
    "link": "\x1b]8;;http://evil/\x1b\\here",
    "eight bits": "\x9b31m\x9d0;x\x9c",
    "bell and backspace": "\x07\x08\x7f\x00",
    "forged line": "nobody\n✓ setup  0.1 s  all is well",
    "forged by a return": "nobody\r\n✓ setup",
    "next line": "nobody\x85✓ setup",
    "vertical": "nobody\x0b\x0c\x1c\x1d\x1e✓ setup",
    "separators": "nobody\u2028✓ setup\u2029",
    "direction": "abc\u202egnp.exe\u2066\u2067\u200f",
    "nothing to see": "ad\u200bmin\ufeff",
    "half a letter": "x\ud83dy",
    "bytes of a name": os.fsdecode(b"caf\xe9\x9b31m"),
    "markup": "[red]x[/red] [link=http://evil]y[/link] [/] \\[bold]z",
    "emoji codes": "host:lock:x :skull:",
}
OBEYED = (
    {chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000))}
    | set("\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u200b\ufeff")
) - set("\t\n")


def stage(console: Console, text: str) -> None:
    with console.stage("gate") as grown:
        grown.say(text)


def move(console: Console, text: str) -> None:
    console.show(text)
    console.show("")


WAYS: dict[str, Callable[[Console, str], object]] = {
    "a line": lambda console, text: console.line(f"! {text}"),
    "a line in a colour": lambda console, text: console.line(f"! {text}", "bold red"),
    "an answer": lambda console, text: console.answer(f"pid 4 {text}"),
    "a log": lambda console, text: console.log("postgres", [f"FATAL: {text.replace(chr(10), '')}"]),
    "an error": lambda console, text: console.error(KnownBad(text)),
    "evidence": lambda console, text: console.error(KnownBad("x", evidence=(text,))),
    "a next step": lambda console, text: console.error(KnownBad("x", next_step=text)),
    "a table": lambda console, text: console.table([("name", text), (text, "b")]),
    "a diff": lambda console, text: console.diff([f"+{text}", f"-{text}"]),
    "a stage": stage,
    "a moving line": move,
}


PRINTED = {"evidence": 2, "a next step": 2, "a table": 2, "a diff": 2, "a moving line": 0}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", HOSTILE)
def test_what_others_write_is_shown_and_never_obeyed(
    kind: str, way: str, capsys: pytest.CaptureFixture[str]
) -> None:
    WAYS[way](Console(Redactor()), HOSTILE[kind])
    told = "".join(capsys.readouterr())
    assert not OBEYED & set(told)
    assert told.count("\n") == PRINTED.get(way, 1)
    if kind in {"markup", "emoji codes"} and way not in {"a table", "a moving line"}:
        assert HOSTILE[kind] in told


@pytest.mark.parametrize("way", ["a line in a colour", "evidence", "a moving line"])
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_terminal_sees_the_text_and_our_own_colours_alone(
    kind: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = on_terminal(monkeypatch, lambda console: WAYS[way](console, HOSTILE[kind]))
    ours = on_terminal(monkeypatch, lambda console: WAYS[way](console, "x"))
    assert escapes(told) <= escapes(ours)
    assert "\x1b]" not in told
    assert not (OBEYED - {"\x1b", "\r"}) & set(told)


def test_what_our_own_program_colours_stays_coloured(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[1;31m✗ x" in on_terminal(monkeypatch, lambda console: console.error(KnownBad("x")))


def escapes(text: str) -> set[str]:
    return set(re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b.", text))


def on_terminal(monkeypatch: pytest.MonkeyPatch, print_it: Callable[[Console], object]) -> str:
    """Give what arrives on a terminal."""
    reads, writes = pty.openpty()
    monkeypatch.setenv("TERM", "xterm")
    with open(writes, "w", encoding="utf-8", errors="backslashreplace") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(sys, "stderr", stream)
        print_it(Console(Redactor()))
        stream.flush()
        told = b""
        while select.select([reads], [], [], 0)[0]:
            told += os.read(reads, 1 << 20)
    os.close(reads)
    return told.decode()


@pytest.mark.parametrize("kind", HOSTILE)
def test_json_means_the_very_text_and_holds_nothing_that_a_terminal_obeys(
    kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Console(Redactor(), as_json=True).object({"cause": HOSTILE[kind]})
    told = capsys.readouterr().out
    assert not OBEYED & set(told)
    assert json.loads(told) == {"cause": HOSTILE[kind]}


def test_a_secret_is_masked_before_its_letters_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    redactor = Redactor()
    redactor.learn(Secret("line one\nline \x1b two"))
    console = Console(redactor)
    console.log("app", ["start", "line one", "line \x1b two", "end"])
    console.line("line one\nline \x1b two")
    told = capsys.readouterr()
    assert told.out == f"app | start\napp | {MASK}\napp | end\n"
    assert told.err == f"{MASK}\n"


def test_white_space_of_scripts_and_tabs_stay(capsys: pytest.CaptureFixture[str]) -> None:
    Console(Redactor()).line("1\u202f000 a\u00a0b 日本\u3000語 می\u200cخواهم\tx 👩\u200d💻")
    assert capsys.readouterr().err == "1\u202f000 a\u00a0b 日本\u3000語 می\u200cخواهم\tx 👩\u200d💻\n"


def test_the_output_of_tests_keeps_its_lines_and_colours(capsys: pytest.CaptureFixture[str]) -> None:
    Console(Redactor()).passage("\x1b[32mPASSED\x1b[0m a.py\n\x1b]0;x\x07\x1b[2K\n")
    assert capsys.readouterr().err == "\x1b[32mPASSED\x1b[0m a.py\n" + r"\x1b]0;x\x07\x1b[2K" + "\n"


def test_a_fault_that_is_told_before_any_task_is_shown_in_the_same_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_root: Path) -> None:
        raise BadInput("settings: \x1b[31m", evidence=("a\nb",), next_step="mend it")

    monkeypatch.setattr(settings_file, "load", refuse)
    with pytest.raises(Exit) as ended:
        tasks._check_settings(is_listing=False)
    assert ended.value.message == "✗ settings: \\x1b[31m\n    a\\x0ab\n→ mend it"


LISTENS = """
import socket, sys
it = socket.create_server(("127.0.0.1", 0))
print(it.getsockname()[1], flush=True)
sys.stdin.read()
"""


def test_the_name_of_a_strangers_process_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = tmp_path / "x\x1b[31m\n✓ ok"
    program.symlink_to(sys.executable)
    with subprocess.Popen(
        [program, "-I", "-c", LISTENS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as stranger:
        assert stranger.stdout
        port = int(stranger.stdout.readline())
        held = ports.holders([port], dict)
        Console(Redactor()).line(f"port {port} is held by {held[port]}")
        stranger.communicate()
    told = capsys.readouterr().err
    assert told == f"port {port} is held by " + r"x\x1b[31m\x0a✓ ok" + f" (pid {stranger.pid})\n"
