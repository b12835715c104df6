"""What invoke does on its own: listings, help, completion, its own keys, and what people's machines add."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.root import ROOT
from tests.waiting import until

HEAVY = {
    *("docker", "fabric", "hvac", "requests", "pydantic", "psycopg", "jinja2", "rich", "psutil", "redis"),
    *("paramiko", "httpx", "asyncpg", "sqlalchemy", "alembic", "fastapi"),
}
LIGHT = {
    "a listing": ("--list",),
    "a listing for programs": ("--list", "--list-format", "json"),
    "the help of a task": ("--help", "finance_report.app.setup"),
    "completion of a name": ("--complete", "--", "inv finance_report.app.se"),
    "completion of a flag": ("--complete", "--", "inv finance_report.app.setup --"),
    "nothing": (),
}


def invoke(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder.parent / "home"), **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the tree that can be broken, beside an empty home folder."""
    for name in ("tasks", "infra", "finance_report", "templates", "reference_app"):
        shutil.copytree(ROOT / name, tmp_path / "tree" / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "invoke.yaml", tmp_path / "tree")
    (tmp_path / "home").mkdir()
    return tmp_path / "tree"


@pytest.mark.parametrize("words", LIGHT.values(), ids=LIGHT)
def test_what_only_lists_imports_nothing_heavy(words: tuple[str, ...]) -> None:
    done = invoke(ROOT, "-X", "importtime", "-m", "invoke", *words)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert {"invoke", "tasks", "finance_report"} <= imported
    assert imported & HEAVY == set()


def test_a_command_leaves_its_modules_compiled_for_the_next_one(tree: Path) -> None:
    assert invoke(tree, "-m", "invoke", "--list").returncode == 0
    assert [*tree.glob("tasks/__pycache__/house.*.pyc"), *tree.glob("infra/model/__pycache__/service.*.pyc")]
    assert not list(tree.glob("reference_app/**/*.pyc"))


def test_who_wants_no_compiled_modules_gets_none(tree: Path) -> None:
    assert invoke(tree, "-B", "-m", "invoke", "--list").returncode == 0
    assert invoke(tree, "-m", "invoke", "--list", PYTHONDONTWRITEBYTECODE="1").returncode == 0
    assert not list(tree.rglob("*.pyc"))


@pytest.mark.parametrize("name", ["finance_report.app.setup", "smoke", "smoke.self-test", "lock.status"])
def test_a_name_is_typed_as_it_is_listed_and_its_help_says_what_it_does(name: str) -> None:
    done = invoke(ROOT, "-m", "invoke", "--help", name)
    assert done.returncode == 0, done.stderr
    assert "Docstring:\n  none" not in done.stdout
    assert "--json" in done.stdout


@pytest.mark.parametrize(
    "name",
    ["finance-report.app.setup", "finance_report.app.set-up", "smoke.self_test", "lock-status"],
)
def test_no_other_spelling_of_a_name_is_known(name: str) -> None:
    done = invoke(ROOT, "-m", "invoke", name)
    assert done.returncode == 1, "invoke itself says so, before anything runs"
    assert "No idea what" in done.stderr


def test_both_kinds_of_names_run(tree: Path) -> None:
    """A dash and an underscore in one tree: the self-test passes, and the history is empty."""
    proven = invoke(tree, "-m", "invoke", "smoke.self-test", "--json")
    assert (proven.returncode, json.loads(proven.stdout)["command"]) == (0, "smoke.self-test")
    asked = invoke(tree, "-m", "invoke", "finance_report.app.history", "--json")
    assert (asked.returncode, json.loads(asked.stdout)["command"]) == (0, "finance_report.app.history")


def test_invokes_own_keys_stay_invokes(tree: Path) -> None:
    own = ("run: {echo: true}", "tasks: {search_root: .}", "sudo: {user: nobody}", "timeouts: {command: 60}")
    with (tree / "invoke.yaml").open("a", encoding="utf-8") as settings:
        settings.write("\n".join(own))
    done = invoke(tree, "-m", "invoke", "doctor")
    assert done.returncode == 0, done.stderr


def test_dry_as_a_setting_is_as_good_as_the_flag(tree: Path) -> None:
    with (tree / "invoke.yaml").open("a", encoding="utf-8") as settings:
        settings.write("run: {dry: true}\n")
    done = invoke(tree, "-m", "invoke", "finance_report.app.setup")
    assert done.returncode == 2
    assert "./inv finance_report.app.plan" in done.stderr


FAULTS = {
    "a brace that is not closed": ("invoke.yaml", "app: {source: x\n", "line 2"),
    "a tab": ("invoke.yaml", "app:\n\tsource: x\n", "line 2"),
    "bytes that are no text": ("invoke.yaml", "\udcff\udcfe", "invoke.yaml"),
    "a list": ("invoke.yaml", "- a\n", "invoke.yaml"),
    "a key twice": ("invoke.yaml", "default_env: local\ndefault_env: staging\n", "line 2"),
    "one person's own file": ("invoke.local.yaml", "ports: {router: no}\n", "invoke.local.yaml line 1"),
}


@pytest.mark.parametrize("listing", [True, False], ids=["listing", "running"])
@pytest.mark.parametrize(("file", "text", "words"), FAULTS.values(), ids=FAULTS)
def test_a_broken_settings_file_gives_our_words_and_never_a_traceback(
    tree: Path, file: str, text: str, words: str, *, listing: bool
) -> None:
    (tree / file).write_text(text, encoding="utf-8", errors="surrogateescape")
    done = invoke(tree, "-m", "invoke", *(["--list"] if listing else ["finance_report.status"]))
    assert "Traceback" not in done.stderr
    if listing and done.returncode == 0:
        assert "finance_report" in done.stdout, "what is readable may be listed"
        return
    assert (done.returncode, words in done.stderr) == (2, True), done.stderr
    assert "→ " in done.stderr


@pytest.mark.parametrize("name", ["invoke.yml", "invoke.json"])
def test_a_settings_file_of_another_kind_feeds_nothing(tree: Path, name: str) -> None:
    (tree / name).write_text('{"default_env": "staging"}', encoding="utf-8")
    done = invoke(tree, "-m", "invoke", "doctor")
    assert "environment  local" in done.stdout, done.stderr


@pytest.mark.parametrize("variable", ["INVOKE_RUN_DRY", "INVOKE_DEFAULT_ENV", "INVOKE_APP_SOURCE"])
def test_a_variable_of_invoke_changes_no_setting_of_ours(tree: Path, variable: str) -> None:
    done = invoke(tree, "-m", "invoke", "doctor", "--json", **{variable: "staging"})
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["env"] == "local"
    assert answer["facts"]["folder application"] == str(tree / "reference_app")


def test_ctrl_c_before_a_task_begins_ends_with_130(tree: Path) -> None:
    """While invoke still reads the tasks; held there by a file that never ends."""
    os.mkfifo(tree / "invoke.local.yaml")
    argv = [sys.executable, "-m", "invoke", "finance_report.status"]
    with subprocess.Popen(
        argv, cwd=tree, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as held:
        with open(tree / "invoke.local.yaml", "w", encoding="utf-8"):  # returns once it is being read
            held.send_signal(2)
            until(lambda: held.poll() is not None)
        assert held.stderr is not None
        assert "Traceback" not in held.stderr.read()
    assert held.returncode == 130
