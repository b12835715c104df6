"""env.check-keys on an application's checkout: good, broken in each relation, and with an input missing."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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
    found = [one["relation"] for one in facts["broken"]]  # type: ignore[attr-defined]  # plain JSON
    assert (code, relation in found) == (1, True), said
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


def test_comparing_with_a_vault_is_not_known_yet(application: Path) -> None:
    code, _, said = check(application, "--live", "--env", "staging")
    assert (code, "needs a Vault" in said) == (2, True)
