"""A text that is too much is refused with its place, before anything is built of it; usual ones are read."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from infra.model import yaml_text
from infra.model.errors import BadInput
from infra.plan.lint.composer import NotYaml
from infra.plan.lint.composer import compose as lint_compose
from infra.workspace import settings_file
from infra.workspace.images import load as load_images

LITTLE = 64 * 1024 * 1024
LARGE = "1 MiB at most are expected, with what aliases repeat written out, and here it is more"
DEEP = "nested deeper than 100 levels"


def laughter(line: Callable[[str], str]) -> str:
    """Give ten lines, each of which repeats the one before it ten times."""
    rows = (f"a{row}: &a{row} {line(','.join([f'*a{row - 1}'] * 10))}\n" for row in range(1, 11))
    return "a0: &a0 {x: y}\n" + "".join(rows)


TOO_MUCH = {
    "aliases of lists": (laughter("[{}]".format), f"line 6: {LARGE}"),
    "aliases of mappings": (
        laughter(lambda many: "{" + many.replace(",", ": 1,") + ": 1}"),
        f"line 6: {LARGE}",
    ),
    "merge keys": (laughter("\n  <<: [{}]".format), f"line 11: {LARGE}"),
    "a long word repeated": (f"a: &a {'x' * 100_000}\nb: [{','.join(['*a'] * 50)}]\n", f"line 2: {LARGE}"),
    "many values": ("- a\n" * 100_000, "line 61681: 1 MiB at most are expected"),
    "many letters": ("# nothing\n" * 200_000, "1 MiB at most are expected, and it has 2000000 letters"),
    "a long word": (f"a: {'x' * 1_048_560}", "1 MiB at most"),
    "deep lists": ("\na: " + "[" * 100_000, f"line 2: {DEEP}"),
    "deep items": ("- " * 50_000 + "a", f"line 1: {DEEP}"),
    "deep mappings": ("{a: " * 50_000, f"line 1: {DEEP}"),
    "deep blocks": ("".join(f"{' ' * depth}a:\n" for depth in range(400)), f"line 101: {DEEP}"),
    "a list that holds itself": ("a: &a [*a]", "line 1: a part of it contains itself"),
    "a mapping that holds itself": ("a: 1\nb: &b {c: {d: *b}}", "line 2: a part of it contains itself"),
    "a key that is itself": ("? &a [*a]\n: 1", "line 1: a part of it contains itself"),
}
NUMBERS = {
    "digits": "1" * 1_000_000,
    "digits that Python prints": "1" * 41,
    "hexadecimal digits": "0x" + "f" * 100_000,
    "octal digits": "0o" + "7" * 100_000,
}
READERS: dict[str, Callable[[str], object]] = {
    "values": yaml_text.parse,
    "nodes": yaml_text.compose,
    "lint": lint_compose,
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
@pytest.mark.parametrize(("text", "words"), TOO_MUCH.values(), ids=TOO_MUCH)
def test_what_is_too_much_is_refused_with_its_line(
    text: str, words: str, read: Callable[[str], object]
) -> None:
    tracemalloc.start()
    try:
        with pytest.raises((yaml.YAMLError, NotYaml)) as refused:
            read(text)
        assert tracemalloc.get_traced_memory()[1] < LITTLE
    finally:
        tracemalloc.stop()
    said = yaml_text.words(refused.value)
    assert words in said


@pytest.mark.parametrize("number", NUMBERS.values(), ids=NUMBERS)
def test_a_number_has_an_end(number: str) -> None:
    with pytest.raises(yaml.YAMLError) as refused:
        yaml_text.parse(f"a: 1\nb: {number}\n")
    assert "line 2: a whole number of 40 digits at most is expected, and" in yaml_text.words(refused.value)
    assert len(yaml_text.words(refused.value)) < 120


def test_settings_that_laugh_are_refused_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "invoke.yaml").write_text(laughter("[{}]".format), encoding="utf-8")
    with pytest.raises(BadInput, match=rf"invoke\.yaml: line 6: {LARGE}"):
        settings_file.load(tmp_path)


def test_images_that_laugh_are_refused_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "images.yaml").write_text(laughter("[{}]".format), encoding="utf-8")
    with pytest.raises(BadInput, match=r"images\.yaml: line 6: 1 MiB"):
        load_images(tmp_path, "images.yaml")


USUAL = """
x-common: &common
  restart: always
  logging: &logging {driver: json-file, options: {max-size: 10m}}
services:
  web: &web
    <<: *common
    image: a
  job:
    <<: [*web, *common]
    image: b
    logging: *logging
"""


def test_a_compose_file_that_repeats_what_its_services_share_is_read_as_before() -> None:
    found = yaml_text.parse(USUAL)["services"]
    assert found["web"] == {
        "restart": "always",
        "logging": {"driver": "json-file", "options": {"max-size": "10m"}},
        "image": "a",
    }
    assert found["job"] == {**found["web"], "image": "b"}
    assert lint_compose(USUAL) is not None


def test_a_name_that_is_given_twice_means_what_it_was_given_last() -> None:
    found = lint_compose("[&a [x], *a, &a y, *a]")
    assert [one.value for one in found.value[2:]] == ["y", "y"]  # type: ignore[union-attr]
