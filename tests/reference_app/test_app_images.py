"""What the application's images are made of: their Dockerfiles, read, and rehearsed without a builder."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from finance_report.app import APP
from infra.plan.boxes import APP as HOME
from infra.plan.key_sources import example_keys
from tasks.root import ROOT
from tests.reference_app.running import BACKEND, SHA
from tests.reference_app.running import FRONTEND as FRONT

FOLDERS = {"backend": BACKEND, "frontend": FRONT}
STARTS = [
    ("backend", ("-m", "alembic", "heads")),
    ("backend", ("-c", "import src.main")),
    ("frontend", ("build.py",)),
    ("frontend", ("-c", "import server")),
]


def instructions(part: str) -> list[tuple[str, str]]:
    """Give the instructions of a part's Dockerfile in their order."""
    text = (FOLDERS[part] / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def last(part: str, word: str) -> str:
    return [rest for name, rest in instructions(part) if name == word][-1]


def copied(part: str, folder: Path, to: Path) -> Path:
    """Give a folder with just the files that an image of this folder has."""
    ignored = shutil.ignore_patterns("__pycache__", ".*", "tests", "dist")
    for rest in [rest for word, rest in instructions(part) if word == "COPY"]:
        *patterns, target = rest.split()
        for source in [
            one for pattern in patterns for one in sorted(folder.parent.glob(f"{folder.name}/{pattern}"))
        ]:
            if source.is_dir():
                shutil.copytree(source, to / target, ignore=ignored, dirs_exist_ok=True)
            else:
                shutil.copy(source, to / target)
    return to


@pytest.mark.parametrize("part", FOLDERS)
def test_an_image_is_built_upon_what_the_builder_names_and_nobody_invents_a_digest(part: str) -> None:
    first, second = instructions(part)[:2]
    assert (first, second) == (("ARG", "BASE"), ("FROM", "${BASE}"))
    assert sum(word == "FROM" for word, _ in instructions(part)) == 1


@pytest.mark.parametrize("part", FOLDERS)
def test_an_image_runs_as_the_user_that_containers_are_given(part: str) -> None:
    container = APP.part(part).container
    assert container is not None
    assert last(part, "USER") == f"{container.uid}:{container.gid}"
    assert container.uid >= 10000
    assert [word for word, _ in instructions(part)][-3:] == ["USER", "EXPOSE", "CMD"]


@pytest.mark.parametrize("part", FOLDERS)
def test_an_image_by_itself_serves_as_the_part_is_declared_to(part: str) -> None:
    declared = APP.part(part)
    words = [one.replace("$PORT", str(declared.port)).replace("$BIND", "0.0.0.0") for one in declared.command]
    command = json.loads(last(part, "CMD"))
    assert command[0] == "python"
    assert set(command[1:]) <= set(words)
    assert (last(part, "EXPOSE"), last(part, "WORKDIR")) == (str(declared.port), HOME)


def test_the_backend_finds_its_modules_where_the_entry_point_looks() -> None:
    assert f"PYTHONPATH={HOME}" in last("backend", "ENV").split()


@pytest.mark.parametrize(("part", "words"), STARTS)
def test_what_an_image_copies_is_all_that_the_part_needs(
    part: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    folder = copied(part, FOLDERS[part], tmp_path)
    variables = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(folder),
        "ENV": "test",
        "GIT_COMMIT_SHA": SHA,
        "DATABASE_URL": "postgresql+asyncpg://a:b@localhost/c",
        "REDIS_URL": "redis://localhost",
    }
    argv = [sys.executable, *words]
    done = subprocess.run(
        argv, cwd=folder, env=variables, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_a_release_that_misbehaves_on_purpose_does_so_in_its_image(tmp_path: Path) -> None:
    source, image = tmp_path / "backend", tmp_path / "image"
    shutil.copytree(BACKEND, source, ignore=shutil.ignore_patterns("__pycache__"))
    image.mkdir()
    (source / "misbehave.json").write_text("{}", encoding="utf-8")
    names = {file.name for file in copied("backend", source, image).iterdir()}
    assert {"misbehave.json", "alembic.ini", "src", "migrations"} <= names
    assert "tests" not in names


@pytest.mark.parametrize("part", FOLDERS)
def test_an_image_never_holds_a_private_env_file(part: str) -> None:
    ignored = (FOLDERS[part] / ".dockerignore").read_text(encoding="utf-8").split()
    assert {"**/.*", "**/__pycache__"} <= set(ignored)


@pytest.mark.parametrize("part", FOLDERS)
def test_an_image_has_the_versions_that_run_here_each_with_its_hash(part: str) -> None:
    pinned = re.compile(r"^([a-z][a-z0-9.-]*==[^ ;]+)", re.MULTILINE)
    lock = (FOLDERS[part] / "requirements.txt").read_text(encoding="utf-8")
    here = set(pinned.findall((ROOT / "requirements/local.txt").read_text(encoding="utf-8")))
    assert pinned.findall(lock)
    assert set(pinned.findall(lock)) - here == set()
    assert [
        one for one in re.split(r"^(?=\S)", lock, flags=re.MULTILINE) if one and "--hash=" not in one
    ] == []


def test_the_example_has_a_line_and_no_value_for_each_secret() -> None:
    text = (BACKEND.parents[1] / ".env.example").read_text(encoding="utf-8")
    secrets = {spec.key for spec in APP.secrets}
    assert secrets <= example_keys(text)
    assert [
        line for line in text.splitlines() if line.partition("=")[0] in secrets and not line.endswith("=")
    ] == []
