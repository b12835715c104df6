"""What the readers of a compose text make of a bare word, and which quotes a printer drops."""

from __future__ import annotations

import pytest
import yaml

from infra.plan.lint.checks import seconds
from infra.plan.lint.readers import loses_quotes, misread

BARE = {
    "a boolean": ["y", "N", "yes", "No", "YES", "on", "Off", "True", "FALSE"],
    "nothing": ["~", "null", "Null", "NULL"],
    "a date": ["2024-01-01", "2024-1-1", "2024-01-01T00:00:00Z", "2024-01-01 12:30:45"],
    "another number": [
        *("1_000", "0b11", "0o17", "017", "0x1F", "1.10", "1.0", ".5", "5.", "1e3", "+5", "-1.5", "1_0.5"),
        *("12:30:45", "22:22", ".inf", "-.INF", ".nan", "0440", "9007199254740993", "0B11", "0O7"),
    ],
    "": [
        *(
            "true",
            "false",
            "0",
            "300",
            "-1",
            "staging",
            "5m",
            "768m",
            "1.2.3",
            "v1.2",
            "127.0.0.1:80",
            "/data",
        ),
        *(
            "a=b",
            "no-new-privileges:true",
            "2024-01",
            "10001:10001x",
            "0xg",
            "_1",
            "nullable",
            "yesterday",
            "",
        ),
    ],
}
LOSES = ("1_000", "0b11", "-0b11", "2024-01-01", "2024-1-1", "1_0.5", "0B11", "0X1F", "0O7")
KEEPS = (
    "yes",
    "on",
    "12:30:45",
    "0644",
    "0x1F",
    "1e3",
    "true",
    "null",
    "300",
    "1.10",
    "0o17",
    ".inf",
    "a",
    "",
)
DURATIONS = {
    "5s": 5,
    "1m30s": 90,
    "500ms": 0.5,
    "1h": 3600,
    "1.5s": 1.5,
    "5": None,
    "": None,
    "5 s": None,
    "s": None,
}


@pytest.mark.parametrize(("kind", "word"), [(kind, word) for kind, words in BARE.items() for word in words])
def test_a_bare_word_is_what_the_strictest_reader_makes_of_it(kind: str, word: str) -> None:
    assert misread(word) == kind


@pytest.mark.parametrize("word", [word for words in BARE.values() for word in words])
def test_what_python_reads_as_no_text_is_misread_or_means_the_same_everywhere(word: str) -> None:
    try:
        value = yaml.safe_load(word)
    except ValueError:
        return
    is_same = word in {"true", "false", ""} or (isinstance(value, int) and str(value) == word)
    assert isinstance(value, str) or is_same or misread(word)


@pytest.mark.parametrize("word", LOSES)
def test_a_printer_of_yaml_1_2_drops_quotes_that_compose_needs(word: str) -> None:
    assert loses_quotes(word)


@pytest.mark.parametrize("word", KEEPS)
def test_other_quotes_stay_or_are_not_needed(word: str) -> None:
    assert not loses_quotes(word)


@pytest.mark.parametrize(("written", "expected"), DURATIONS.items())
def test_a_duration_is_read_as_compose_reads_it(written: str, expected: float | None) -> None:
    assert seconds(written) == expected
