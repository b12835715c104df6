"""Five relations between those who name a key, each broken alone, and each input read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from infra.model.errors import BadInput
from infra.plan.key_contract import (
    Contract,
    broken,
    dockerfile_arguments,
    example_keys,
    template_keys,
    undocumented_use,
)
from infra.plan.settings_module import Setting, settings_of

PUBLIC = frozenset({"NEXT_PUBLIC_API_URL"})
GOOD = Contract(
    template=frozenset({"DATABASE_URL", "API_KEY"}),
    settings=(Setting("DATABASE_URL", False), Setting("API_KEY", True), Setting("ENV", False)),
    example=frozenset({"DATABASE_URL", "API_KEY", "ENV"}) | PUBLIC,
    arguments=PUBLIC,
    build_args=PUBLIC,
    declared=frozenset({"DATABASE_URL", "API_KEY"}),
    delivered=frozenset({"ENV"}),
)


def test_a_contract_that_all_sides_keep_breaks_nothing() -> None:
    assert broken(GOOD) == []


UNREAD = frozenset({"UNREAD"})
BROKEN = {
    1: (replace(GOOD, template=GOOD.template | UNREAD, declared=GOOD.declared | UNREAD), "UNREAD"),
    2: (replace(GOOD, example=GOOD.example - {"API_KEY"}), "API_KEY"),
    3: (replace(GOOD, delivered=frozenset()), "ENV"),
    4: (replace(GOOD, arguments=frozenset()), "NEXT_PUBLIC_API_URL"),
    5: (replace(GOOD, declared=GOOD.declared - {"API_KEY"}), "API_KEY"),
}


@pytest.mark.parametrize("relation", list(BROKEN))
def test_a_relation_that_is_broken_alone_is_the_only_one_told(relation: int) -> None:
    contract, key = BROKEN[relation]
    found = broken(contract)
    assert [(one.relation, one.keys) for one in found] == [(relation, (key,))]
    assert key in str(found[0])
    assert found[0].mend.format(key=key)


@pytest.mark.parametrize("side", ["example", "arguments", "build_args"])
def test_a_public_variable_has_to_be_in_all_three_places(side: str) -> None:
    assert [one.relation for one in broken(replace(GOOD, **{side: getattr(GOOD, side) - PUBLIC}))] == [4]
    alone = replace(GOOD, example=GOOD.example - PUBLIC, arguments=frozenset(), build_args=frozenset())
    assert broken(replace(alone, **{side: getattr(alone, side) | PUBLIC}))[0].keys == tuple(PUBLIC)


def test_a_key_of_the_example_that_nobody_reads_is_information() -> None:
    extra = replace(GOOD, example=GOOD.example | {"OLD_KEY"})
    assert (broken(extra), undocumented_use(extra)) == ([], ("OLD_KEY",))


def test_a_template_gives_the_keys_that_it_takes_by_name_or_by_index() -> None:
    named = "A='{{ .Data.data.A_KEY | replaceAll }}'"
    text = f'{named} {{{{ with index .Data.data "B_KEY" -}}}} {{{{ .Data.metadata.version }}}}'
    assert template_keys(text) == {"A_KEY", "B_KEY"}


def test_an_example_documents_with_lines_and_not_with_comments() -> None:
    assert example_keys("A=1\nexport B=\n# C=3\n  D=4\nE\n=F\n") == {"A", "B", "D"}


def test_a_dockerfile_gives_its_arguments() -> None:
    assert dockerfile_arguments("ARG BASE\nFROM x\narg A=1\n# ARG B\nRUN ARG C\n") == {"BASE", "A"}


MODULES = yaml.safe_load(Path(__file__).with_name("settings_modules.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("form", list(MODULES))
def test_a_settings_module_is_read_in_every_form(form: str) -> None:
    case = MODULES[form]
    found = settings_of(case["source"], "config.py")
    assert {one.name: one.has_default for one in found} == case["gives"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("class Settings(:\n", "config.py: line 1"),
        ("", "no settings class"),
        ("class Other:\n    a: int\n", "no settings"),
    ],
)
def test_a_module_that_cannot_be_read_is_told_by_its_name(source: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        settings_of(source, "config.py")
