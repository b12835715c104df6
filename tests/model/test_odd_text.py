"""What nobody sees is named: in file names it is escaped, in secrets it is pointed at."""

from __future__ import annotations

import os
import subprocess

import pytest

from infra.model.invisible import invisible
from infra.model.odd_names import quoted, shown

NAMES = {
    "plain/ümlaut 日本.py": "plain/ümlaut 日本.py",
    os.fsdecode(b"caf\xe9.py"): r"caf\xe9.py",
    "two\nlines\x1b[31m": r"two\x0alines\x1b[31m",
    "right\u202eleft": r"right\u202eleft",
    "it's a \\ \U000e0001": r"it's a \ \U000e0001",
}
SEEN = {
    "sk-or-v1-0123": "",
    "größe日本🔑": "",
    "\ufeffsk": "holds an invisible character (U+FEFF, zero width no-break space) at position 1",
    "sk\u200b": "holds an invisible character (U+200B, zero width space) at position 3",
    "s\u202ek": "holds an invisible character (U+202E, right-to-left override) at position 2",
    "\u200dk\u2060": "holds an invisible character (U+200D, zero width joiner) at position 1, and 1 more",
    "sk\ufe0f": "holds an invisible character (U+FE0F, variation selector-16) at position 3",
    "\x1b[0msk": "holds a control character (U+001B, escape) at position 1",
    "sk\x07": "holds a control character (U+0007) at position 3",
    "sk\xa0": "holds white space (U+00A0, no-break space) at position 3",
    " sk": "holds white space (U+0020, space) at position 1",
    "sk\n": "holds a control character (U+000A, line end) at position 3",
    "sk\u2028": "holds a line separator (U+2028, line separator) at position 3",
}


@pytest.mark.parametrize(("name", "text"), NAMES.items(), ids=map(ascii, NAMES))
def test_a_name_is_shown_as_one_line_of_text(name: str, text: str) -> None:
    assert shown(name) == text
    shown(name).encode()


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_quoted_name_is_that_very_name_to_a_shell(name: str) -> None:
    line = f"printf %s {quoted(name)}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"})
    assert done.stdout == os.fsencode(name)


@pytest.mark.parametrize(("text", "words"), SEEN.items(), ids=map(ascii, SEEN))
def test_what_nobody_sees_in_a_value_is_named_with_its_place(text: str, words: str) -> None:
    assert invisible(text) == words
