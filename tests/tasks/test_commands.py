"""The wrapper of all tasks, and what a listing costs."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.invocation import Command
from infra.model import errors
from infra.model.secret import Secret
from tasks import conduct as module

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"docker", "fabric", "hvac", "requests", "pydantic", "psycopg", "jinja2", "rich", "psutil", "redis"}
SCHEMA = json.loads((ROOT / "docs/outcome.schema.json").read_text(encoding="utf-8"))


def conduct(body: Callable[..., None], *, as_json: bool = True) -> int:
    return module.conduct("finance_report.app.setup", body, {"json": as_json})


def leaves(root: type[errors.InfraError]) -> Iterator[type[errors.InfraError]]:
    for kind in root.__subclasses__():
        yield kind
        yield from leaves(kind)


@pytest.mark.parametrize("kind", list(leaves(errors.InfraError)))
def test_every_error_has_its_exit_code_and_says_what_to_type_next(
    kind: type[errors.InfraError], capsys: pytest.CaptureFixture[str]
) -> None:
    def body(_this: Command) -> None:
        raise kind("it went wrong", next_step="./inv doctor", evidence=("seen",))

    code = conduct(body)
    told = capsys.readouterr()
    answer = json.loads(told.out)
    codes = {errors.KnownBad: 1, errors.NotCleaned: 4, errors.CannotTell: 2}
    assert code == answer["exit_code"] == next(codes[one] for one in kind.__mro__ if one in codes)
    assert answer["errors"] == [
        {"kind": kind("x").kind, "message": "it went wrong", "evidence": ["seen"], "next": "./inv doctor"},
    ]
    assert "→ ./inv doctor" in told.err


def test_an_error_that_nobody_foresaw_is_told_with_its_places_and_is_never_green(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def body(_this: Command) -> None:
        raise ZeroDivisionError("unforeseen")

    assert conduct(body) == 2
    told = capsys.readouterr()
    assert "Traceback" not in told.err
    assert "a fault of this tool: ZeroDivisionError: unforeseen" in told.err
    assert any("test_commands.py" in line for line in json.loads(told.out)["errors"][0]["evidence"])


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_unwinds_the_task_and_gives_its_code(number: signal.Signals, code: int) -> None:
    cleaned: list[bool] = []

    def body(_this: Command) -> None:
        try:
            os.kill(os.getpid(), number)
            signal.pause()
        finally:
            cleaned.append(True)

    before = signal.getsignal(number)
    assert (conduct(body, as_json=False), cleaned) == (code, [True])
    assert signal.getsignal(number) == before


def test_json_is_one_object_with_the_keys_of_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    def body(this: Command) -> None:
        this.console.answer("for people")
        this.console.line("progress")
        this.outcome.changes.append("start unit x")

    assert conduct(body) == 0
    told = capsys.readouterr()
    answer = json.loads(told.out)
    assert list(answer) == SCHEMA["required"]
    assert set(answer) == set(SCHEMA["properties"])
    assert answer["schema"] == SCHEMA["properties"]["schema"]["const"]
    assert (answer["service"], answer["changes"]) == ("app", ["start unit x"])
    assert told.err.splitlines() == ["for people", "progress"]


def test_what_the_redactor_learnt_is_masked_on_every_stream(capsys: pytest.CaptureFixture[str]) -> None:
    def body(this: Command) -> None:
        this.redactor.learn(Secret("correct horse battery"))
        this.console.answer("answer: correct horse battery")
        this.console.line("line: correct%20horse%20battery")
        this.outcome.facts["note"] = "correct horse battery"
        raise errors.Refused("it said correct horse battery")

    conduct(body)
    conduct(body, as_json=False)
    told = capsys.readouterr()
    assert "horse" not in told.out + told.err
    assert (told.err.count("***"), told.out.count("***")) == (5, 3)


def invoke(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder.parent / "home"), **more},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("tasks", "infra", "finance_report", "templates", "reference_app"):
        shutil.copytree(ROOT / name, tmp_path / "tree" / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "invoke.yaml", tmp_path / "tree")
    (tmp_path / "home").mkdir()
    return tmp_path / "tree"


def test_a_listing_imports_nothing_heavy() -> None:
    done = invoke(ROOT, "-X", "importtime", "-m", "invoke", "--list")
    assert done.returncode == 0
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "invoke" in imported
    assert imported & HEAVY == set()


def test_names_are_exactly_as_people_type_them_and_each_has_help() -> None:
    listing = json.loads(invoke(ROOT, "-m", "invoke", "--list", "--list-format", "json").stdout)
    names = {task["name"]: task["help"] for task in _flat(listing, "")}
    assert {
        "finance_report.app.setup",
        "finance_report.postgres.shell",
        "smoke.self-test",
        "test.run",
    } <= set(names)
    assert all(names.values())
    assert all(re.fullmatch(r"[a-z0-9_.-]+", name) for name in names)


def _flat(node: dict, above: str) -> Iterator[dict]:  # type: ignore[type-arg]  # invoke's own form
    prefix = f"{above}{node['name']}." if above or node["name"] != "tasks" else ""
    prefix = "" if node["name"] in {None, "tasks"} else prefix
    for task in node["tasks"]:
        yield {**task, "name": f"{prefix}{task['name']}"}
    for below in node["collections"]:
        yield from _flat(below, prefix)


@pytest.mark.parametrize("words", [("--list",), ("finance_report.status",), ()])
def test_a_broken_settings_file_is_told_with_its_line_and_no_traceback(
    tree: Path, words: tuple[str, ...]
) -> None:
    (tree / "invoke.yaml").write_text("app: {source: x\n", encoding="utf-8")
    done = invoke(tree, "-m", "invoke", *words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "invoke.yaml: line 2" in done.stderr


def test_a_setting_that_is_not_known_stops_every_task(tree: Path) -> None:
    (tree / "invoke.yaml").write_text("prots: {router: 1}\n", encoding="utf-8")
    done = invoke(tree, "-m", "invoke", "doctor")
    assert done.returncode == 2
    assert "prots: no such setting (invoke.yaml line 1)" in done.stderr


def test_variables_and_files_of_the_home_folder_change_no_setting(tree: Path) -> None:
    (tree.parent / "home/.invoke.yaml").write_text("default_env: staging\n", encoding="utf-8")
    done = invoke(tree, "-m", "invoke", "doctor", INVOKE_DEFAULT_ENV="staging", INVOKE_PORTS_ROUTER="1")
    assert done.returncode == 0, done.stderr
    assert "environment  local" in done.stdout


def test_an_unknown_environment_and_one_that_is_not_here_yet_are_refused_with_a_way_on(tree: Path) -> None:
    unknown = invoke(tree, "-m", "invoke", "finance_report.app.setup", "--env", "prd")
    assert unknown.returncode == 2
    assert "local, local_ci, github_ci, pr_<N>, canary, staging, production" in unknown.stderr
    other = invoke(tree, "-m", "invoke", "finance_report.app.setup", "--env", "production")
    assert other.returncode == 2
    assert "rehearse it here: ./inv finance_report.setup --env production --target process" in other.stderr


def test_the_application_is_not_deployed_where_only_stores_exist(tree: Path) -> None:
    done = invoke(tree, "-m", "invoke", "finance_report.app.status", "--env", "local_ci")
    assert done.returncode == 2
    assert "not deployed in local_ci" in done.stderr
