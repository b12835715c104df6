"""Five relations between those who name a key, each broken alone, and each input read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from infra.model import dotenv
from infra.model.errors import BadInput
from infra.plan.agent_template import evaluate
from infra.plan.key_contract import Contract, Files, broken, undocumented_use
from infra.plan.key_sources import dockerfile_arguments, example_keys, template_keys
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
    text = "A=1\nexport B=\n# C=3\n\n  D='4\nE=5'\n"
    assert example_keys(text) == {"A", "B", "D"}


def test_a_dockerfile_gives_the_arguments_of_its_stages() -> None:
    text = "ARG BASE\nFROM x\narg A=1\n# ARG B\nRUN ARG C\nARG \\\n  D E='a b'\n\tARG\tF\nFROM y\nARG G\n"
    assert dockerfile_arguments(text) == {"A", "D", "E", "F", "G"}


UNREAD_TEXTS = {
    "a template that takes nothing": (template_keys, "A='{{ .Data.metadata.version }}'", "takes no key"),
    "an example with a line that is none": (example_keys, "A=1\n# B\nsecret words\n", "line 3"),
    "an example that is a program": (example_keys, "import os\nA=1\n", "line 1"),
    "a Dockerfile without a stage": (dockerfile_arguments, "ARG A\n", "no FROM"),
    "an empty Dockerfile": (dockerfile_arguments, "", "no FROM"),
    "an argument that is no name": (dockerfile_arguments, "FROM x\nARG 1A=2\n", "is no name"),
    "an argument with an open quote": (dockerfile_arguments, "FROM x\nARG A='2\n", "No closing"),
}


@pytest.mark.parametrize("case", list(UNREAD_TEXTS))
def test_a_text_that_cannot_be_read_is_an_error_with_its_place(case: str) -> None:
    read, text, words = UNREAD_TEXTS[case]
    with pytest.raises(BadInput, match=words) as caught:
        read(text, "place/file")
    assert str(caught.value).startswith("place/file: ")


FILES = Files("config.py", ".env.example", "Dockerfile", "app.py", "secrets.ctmpl.j2")
LACKING = {
    "config.py": (replace(GOOD, template=GOOD.template | UNREAD, declared=GOOD.declared | UNREAD), 1),
    ".env.example": (replace(GOOD, example=GOOD.example - {"ENV"}), 2),
    "app.py": (replace(GOOD, declared=GOOD.declared - {"API_KEY"}), 5),
    "secrets.ctmpl.j2": (replace(GOOD, template=GOOD.template - {"API_KEY"}), 5),
    "Dockerfile": (replace(GOOD, arguments=frozenset()), 4),
}


@pytest.mark.parametrize("file", list(LACKING))
def test_what_is_broken_names_the_file_to_mend_and_the_line_that_mends_it(file: str) -> None:
    contract, relation = LACKING[file]
    (found,) = broken(contract, FILES)
    assert (found.relation, found.file, str(found).endswith(f"→ {file}")) == (relation, file, True)
    assert found.keys[0] in found.mend.format(key=found.keys[0])


def test_the_lines_that_are_suggested_mend_what_they_are_for() -> None:
    field, example, template, baked = (
        broken(LACKING[file][0], FILES)[0]
        for file in ("config.py", ".env.example", "secrets.ctmpl.j2", "Dockerfile")
    )
    klass = f"class Settings(BaseModel):\n    {field.mend.format(key='UNREAD')}\n"
    assert settings_of(klass, "config.py") == (Setting("UNREAD", False),)
    assert example_keys(example.mend.format(key="ENV")) == {"ENV"}
    line = template.mend.format(key="API_KEY")
    assert template_keys(line) == {"API_KEY"}
    wrapped = f'{{{{ with secret "p" }}}}{line}\n{{{{ end }}}}'
    assert dotenv.parse(evaluate(wrapped, {"p": {"API_KEY": "it's"}})) == {"API_KEY": "it's"}
    assert dockerfile_arguments(f"FROM x\n{baked.mend.format(key='A')}") == {"A"}


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
        ("class Settings(Common):\n    a: int\n", "line 1: Settings inherits Common"),
        ("from common import Settings\nclass Settings(Settings):\n    a: int\n", "line 2: Settings inherits"),
        ("class S(base.Common, BaseSettings):\n    a: int\n", "inherits base.Common"),
        ("class S(BaseSettings):\n    a = 1\n", "line 2: a has no type"),
        ("class S(BaseSettings):\n    a: int = Field(alias=NAMES['a'])\n", "line 2: NAMES.'a'. is computed"),
        ("class S(BaseSettings):\n    a: int = Field(**COMMON)\n", "line 2: what"),
        ("class S(BaseSettings, env_prefix=PREFIX):\n    a: int\n", "PREFIX is computed"),
        ("class S(BaseSettings, env_nested_delimiter='__'):\n    a: X\n", "env_nested_delimiter"),
        ("class S(BaseSettings):\n    model_config = SettingsConfigDict(alias_generator=f)\n", "alias_gen"),
        ("import os\nA = os.environ[name()]\n", "line 2: name.. is computed"),
        ("A = 1\0", "config.py: line 1"),
    ],
)
def test_a_module_that_cannot_be_read_is_told_by_its_name(source: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        settings_of(source, "config.py")
