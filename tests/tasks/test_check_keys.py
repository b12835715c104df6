"""env.check-keys on an application's checkout: good, broken in each relation, and with an input missing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from invoke.context import Context
from invoke.exceptions import Exit

from infra.plan.templates import Templates
from infra.workspace import templates
from tasks.env import check_keys
from tasks.root import ROOT

FILES = (
    "apps/backend/src/config.py",
    ".env.example",
    "apps/frontend/Dockerfile",
)


@pytest.fixture
def application(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "reference_app" / name, tmp_path / name)
    return tmp_path


def check(application: Path, *words: str) -> tuple[int, dict[str, object], str]:
    argv = [sys.executable, "-m", "invoke", "env.check-keys", "--json", "--app-dir", str(application), *words]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    answer = json.loads(done.stdout)
    return done.returncode, answer["facts"], done.stderr


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_the_reference_application_keeps_all_relations(application: Path) -> None:
    code, facts, said = check(application, "--diff")
    assert (code, facts["broken"]) == (0, []), said


EDITS = {
    1: ("apps/backend/src/config.py", 'alias="OPENROUTER_API_KEY"', 'alias="ANOTHER_KEY"'),
    2: (".env.example", "APP_VERSION=", "# APP_VERSION="),
    3: ("apps/backend/src/config.py", 'Field(alias="APP_VERSION", default="dev")', 'Field(alias="NEEDED")'),
    4: ("apps/frontend/Dockerfile", "ARG NEXT_PUBLIC_API_URL", "ENV NEXT_PUBLIC_API_URL"),
}


@pytest.mark.parametrize("relation", list(EDITS))
def test_a_broken_relation_is_told_with_its_keys_and_exit_1(application: Path, relation: int) -> None:
    name, old, new = EDITS[relation]
    edit(application / name, old, new)
    before = {file: (application / file).read_bytes() for file in FILES}
    code, facts, said = check(application, "--fix")
    found = {one["relation"]: one for one in facts["broken"]}  # type: ignore[attr-defined]  # plain JSON
    assert (code, relation in found) == (1, True), said
    lines = [line.strip() for line in said.splitlines()]
    assert [one["file"] for one in found.values() if f"{one['file']}:" not in lines] == []
    assert [line for one in found.values() for line in one["lines"] if line not in lines] == []
    assert {file: (application / file).read_bytes() for file in FILES} == before


@pytest.mark.parametrize("name", FILES)
def test_an_input_that_is_missing_is_an_error_and_never_agreement(application: Path, name: str) -> None:
    (application / name).unlink()
    code, _, said = check(application)
    assert (code, name in said) == (2, True)


def test_an_input_that_does_not_parse_is_told_with_its_line(application: Path) -> None:
    (application / FILES[0]).write_text("class Settings(:\n", encoding="utf-8")
    code, _, said = check(application)
    assert (code, "config.py: line 1" in said) == (2, True)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (".env.example", "ENV=1\nwords\n", ".env.example: line 2"),
        ("apps/frontend/Dockerfile", "", "Dockerfile: there is no FROM"),
        ("apps/backend/src/config.py", "class Settings(Common): ...\n", "inherits Common"),
    ],
)
def test_an_input_that_says_less_than_it_should_is_an_error_and_never_agreement(
    application: Path, name: str, text: str, words: str
) -> None:
    (application / name).write_text(text, encoding="utf-8")
    code, _, said = check(application)
    assert (code, words in said) == (2, True), said


TEMPLATES = {
    "a key is left out": ("for row in rows ", "for row in rows[1:] ", {3, 5}),
    "previews alone ask for another key": (
        "path ]]\" -}}\n[[ row.key ]]='{{ .Data.data.[[ row.key ]]",
        "path ]]\" -}}\n[[ row.key ]]='{{ .Data.data.[[ row.key ]]_2",
        {1, 5},
    ),
}


@pytest.mark.parametrize("case", list(TEMPLATES))
def test_a_template_that_asks_for_other_keys_than_are_declared_is_told(
    case: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new, relations = TEMPLATES[case]
    folder, name = ROOT / "templates", "vault/secrets.ctmpl.j2"
    texts = {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in folder.rglob("*.*")}
    assert old in texts[name]
    broken = Templates({**texts, name: texts[name].replace(old, new)})
    monkeypatch.setattr(templates, "load", lambda _root: broken)
    flags = {"diff": False, "fix": False, "live": False, "env": None, "app_dir": ""}
    with pytest.raises(Exit):
        check_keys.body(Context(), **flags, json=True)
    facts = json.loads(capsys.readouterr().out)["facts"]
    assert {one["relation"] for one in facts["broken"]} == relations
    assert (
        "templates/vault/secrets.ctmpl.j2" in {one["file"] for one in facts["broken"]} or "previews" in case
    )


def test_a_broken_relation_is_known_also_when_the_vault_is_not(application: Path) -> None:
    edit(application / ".env.example", "APP_VERSION=", "# APP_VERSION=")
    assert check(application, "--live", "--env", "staging")[0] == 1


def test_an_environment_without_a_vault_has_nothing_to_compare_with(application: Path) -> None:
    code, _, said = check(application, "--live", "--env", "local")
    assert (code, "in no Vault" in said) == (2, True)
    assert check(application, "--env", "staging")[0] == 2


def test_an_application_is_named_from_where_the_person_is(application: Path) -> None:
    argv = [sys.executable, "-m", "invoke", "env.check-keys", "--app-dir", "."]
    variables = {**os.environ, "INV_CWD": str(application)}
    done = subprocess.run(
        argv, cwd=ROOT, env=variables, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    (application / ".env.example").unlink()
    done = subprocess.run(
        argv, cwd=ROOT, env=variables, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2


def test_comparing_with_a_vault_is_not_known_yet(application: Path) -> None:
    code, _, said = check(application, "--live", "--env", "staging")
    assert (code, "needs a Vault" in said) == (2, True)
