"""The rendered file: one encoder, its parser, and the shells that read it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from infra.model import dotenv
from infra.model.errors import BadInput
from infra.model.secret import Secret
from tests.shells import SHELLS, each

HOSTILE = {
    case["name"]: case["text"] * case.get("times", 1)
    for case in yaml.safe_load((Path(__file__).parents[1] / "store/hostile_values.yaml").read_text("utf-8"))
}
SOURCE = 'set -a; . "$1"; set +a; exec "$2" -c "$3"'
SHOW = "import json, os; print(json.dumps({k.decode(): v.hex() for k, v in os.environb.items()}))"

keys = st.from_regex(r"[A-Z_][A-Z0-9_]*", fullmatch=True)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")).filter(
    lambda text: "<no value>" not in text
)


@given(st.dictionaries(keys, texts))
def test_parsing_gives_back_what_was_encoded(values: dict[str, str]) -> None:
    assert dotenv.parse(dotenv.encode(values)) == values


@given(st.text("AB_='\\\n #"))
def test_whatever_the_parser_accepts_is_exactly_what_the_encoder_writes(text: str) -> None:
    try:
        values = dotenv.parse(text)
    except BadInput:
        return
    assert dotenv.encode(values) == text


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_value_survives_encoder_and_parser(text: str) -> None:
    assert dotenv.parse(dotenv.encode({"KEY": Secret(text)})) == {"KEY": text}


@pytest.mark.parametrize("shell", each(*SHELLS))
def test_a_shell_reads_the_same_bytes_as_the_parser(shell: str, tmp_path: Path) -> None:
    values = {f"V_{number}": text for number, text in enumerate(HOSTILE.values())}
    file = tmp_path / ".env"
    file.write_bytes(dotenv.encode(values).encode())
    argv = [*SHELLS[shell], "-c", SOURCE, "sh", str(file), sys.executable, SHOW]
    shown = subprocess.run(argv, capture_output=True, check=True, env={"HOME": "/nowhere"}).stdout
    read = {key: bytes.fromhex(value).decode() for key, value in json.loads(shown).items()}
    assert {key: read.get(key) for key in values} == values


def test_lines_are_sorted_by_key_and_the_last_one_ends() -> None:
    assert dotenv.encode({"B": "2", "A": "it's", "_C": ""}) == "A='it'\\''s'\nB='2'\n_C=''\n"
    assert dotenv.encode({}) == ""


UNWRITABLE: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "a NUL": ({"KEY": "se\0cret"}, ()),
    "an unrendered template": ({"KEY": "secret<no value>"}, ()),
    "a lower-case key": ({"key": "secret"}, ()),
    "a key with a newline": ({"KEY\n": "secret"}, ()),
    "an empty key": ({"": "secret"}, ()),
    "a lone surrogate": ({"KEY": "secret\ud800"}, ()),
    "an empty required value": ({"KEY": ""}, ("KEY",)),
    "an absent required value": ({"OTHER": "secret"}, ("KEY",)),
}


@pytest.mark.parametrize(("values", "required"), UNWRITABLE.values(), ids=UNWRITABLE)
def test_a_value_that_cannot_be_written_is_refused_by_the_name_of_its_key(
    values: dict[str, str], required: tuple[str, ...]
) -> None:
    with pytest.raises(BadInput) as refusal:
        dotenv.encode(values, required)
    assert "secret" not in str(refusal.value)


BROKEN = {
    "no quotes": ("KEY=secret\n", 1),
    "double quotes": ("A='1'\nKEY=\"secret\"\n", 2),
    "no end of line": ("A='1'\nKEY='secret'", 2),
    "no end of quotes": ("A='1'\nKEY='secret\n", 2),
    "after a value of three lines": ("A='1\n2\n3'\nKEY=secret\n", 4),
    "a comment": ("# secret\n", 1),
    "an empty line": ("A='1'\n\nB='secret'\n", 2),
    "export": ("export KEY='secret'\n", 1),
    "a blank before the value": ("KEY= 'secret'\n", 1),
    "something after the value": ("KEY='secret' # why\n", 1),
    "a carriage return": ("KEY='secret'\r\n", 1),
    "a lower-case key": ("key='secret'\n", 1),
    "a doubled key": ("KEY='secret'\nKEY='secret'\n", 2),
    "keys out of order": ("B='secret'\nA='secret'\n", 2),
    "an unrendered value": ("A='1'\nKEY='<no value>secret'\n", 2),
    "a NUL": ("KEY='se\0cret'\n", 1),
    "a quote in the middle": ("KEY='sec'ret'\n", 1),
    "a very long broken one": ("KEY='" + "secret'\\''" * 20_000, 1),
}


@pytest.mark.parametrize(("text", "line"), BROKEN.values(), ids=BROKEN)
def test_any_other_line_is_an_error_with_its_number_and_without_its_value(text: str, line: int) -> None:
    with pytest.raises(BadInput, match=rf"^line {line}: ") as refusal:
        dotenv.parse(text)
    assert "secret" not in str(refusal.value)
