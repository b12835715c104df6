"""What is rendered, read by the real compose program; and what it makes of words that the lint is wary of."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence

import pytest

from infra.plan.compose import bundle_of, stamped
from infra.plan.lint.readers import loses_quotes, misread
from infra.plan.roster import roster
from infra.targets.compose_cli import ComposeProgram, find
from tests.needs import require
from tests.plan.lint_cases import SERVICES, good
from tests.plan.scenes import EVERY, scene
from tests.plan.test_lint_readers import BARE, LOSES

pytestmark = pytest.mark.real

NO_JSON = {".inf", "-.INF", ".nan"}


@pytest.fixture(scope="module")
def program() -> ComposeProgram:
    """The compose program of this machine."""
    require("docker compose")
    found = find(os.environ)
    assert found
    return found


@pytest.mark.parametrize("name", EVERY)
def test_the_compose_program_takes_every_rendered_file(program: ComposeProgram, name: str) -> None:
    here = scene(name)
    faults = {}
    for service in roster(here.project, here.environment, here.target):
        text = bundle_of(service, here).text
        faults[service.name] = program.fault(text), program.fault(stamped(text, "a" * 64, "d-1"))
    assert faults == dict.fromkeys(faults, ("", ""))


@pytest.mark.parametrize("name", SERVICES)
def test_the_compose_program_takes_the_good_texts_of_the_lint(program: ComposeProgram, name: str) -> None:
    assert program.fault(good(name).text) == ""


def test_the_compose_program_tells_what_is_wrong_with_a_text(program: ComposeProgram) -> None:
    assert "mem_limits" in program.fault('services: {web: {image: "x", mem_limits: "5m"}}\n')


def test_a_variable_of_the_shell_or_a_file_beside_it_fills_nothing_in(
    program: ComposeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOMEBODYS", "x")
    assert "SOMEBODYS" in program.fault('services: {web: {image: "${SOMEBODYS:?}"}}\n')


def read(program: ComposeProgram, words: Sequence[str]) -> list[object]:
    """Give what the program makes of these bare words, one a line."""
    text = 'services: {web: {image: "x"}}\nx-words:\n' + "".join(f"  - {word}\n" for word in words)
    argv = (*program.argv, "-p", "words", "-f", "-", "config", "--format", "json")
    done = subprocess.run(argv, input=text, capture_output=True, text=True, check=True, timeout=30, cwd="/")
    found: list[object] = json.loads(done.stdout)["x-words"]
    return found


def test_every_word_that_the_program_reads_as_no_text_is_known_to_the_lint(program: ComposeProgram) -> None:
    words = [word for words in BARE.values() for word in words if word and word not in NO_JSON]
    changed = {word: value for word, value in zip(words, read(program, words), strict=True) if value != word}
    harmless = {"true", "false", "0", "300", "-1"}
    assert {word for word in changed if not misread(word)} == harmless


def test_every_word_that_loses_its_quotes_becomes_something_else(program: ComposeProgram) -> None:
    assert all(map(loses_quotes, LOSES))
    kept = [word for word, value in zip(LOSES, read(program, LOSES), strict=True) if value == word]
    assert kept == []
