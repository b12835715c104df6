"""No task escapes the wrapper: each fails when what it stands on fails, and says so in one form."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from invoke.collection import Collection
from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import Task

import bench.report
from infra import assembly, foreground, reference
from infra import smoke as smoke_command
from infra.accept import runner as acceptance
from infra.console import CELL
from infra.invocation import Command
from infra.model.errors import KnownBad, Unreachable
from infra.model.interruption import Interrupted
from infra.model.secret import Secret
from infra.testing.register import Register
from infra.workspace import settings_file
from tasks import conduct as module
from tasks import ns
from tasks.root import ROOT

# Written out here: a schema that loses a key together with the code is noticed.
KEYS = [
    *("schema", "command", "env", "service", "outcome", "exit_code", "started", "finished", "duration_s"),
    *("deploy_id", "facts", "changes", "checkpoints", "timings", "errors"),
]
CHANGING = {"setup", "rollback", "down", "destroy", "release"}


def tasks_of(collection: Collection, prefix: str = "") -> Iterator[tuple[str, Task[Any]]]:
    """Give every task by the name that a person types."""
    for name, task in collection.tasks.items():
        yield prefix[:-1] if name == collection.default else prefix + name, task
    for name, below in collection.collections.items():
        yield from tasks_of(below, f"{prefix}{name}.")


TASKS = dict(tasks_of(ns))


def run(task: Task[Any], context: Context | None = None, **arguments: Any) -> int:
    """Give the exit code of a task that is called as invoke calls it."""
    try:
        task.body(context or Context(), **{**defaults(task), **arguments})
    except Exit as ended:
        return int(ended.code)
    return 0


def defaults(task: Task[Any]) -> dict[str, Any]:
    return {(one.attr_name or one.names[0]): one.value for one in task.get_arguments()}


@pytest.fixture
def broken_ground(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing that a task stands on work: no environment opens, no server answers, no program passes."""

    def unreachable(*_words: object, **_more: object) -> None:
        raise Unreachable("nobody answered", next_step="./inv doctor")

    monkeypatch.setattr(assembly, "open_session", unreachable)
    monkeypatch.setattr(smoke_command, "open_session", unreachable)
    monkeypatch.setattr(smoke_command, "prove", unreachable)
    monkeypatch.setattr(bench.report, "measure", unreachable)
    monkeypatch.setattr(acceptance, "load", unreachable)
    monkeypatch.setattr(Register, "read", unreachable)
    monkeypatch.setattr(settings_file, "load", unreachable)
    monkeypatch.setattr(reference, "pages", unreachable)
    monkeypatch.setattr(subprocess, "run", lambda *_words, **_more: SimpleNamespace(returncode=1))
    monkeypatch.setattr(foreground, "run", lambda *_words: 1)
    for name in ("DEPLOY_ENV", "BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("broken_ground")
@pytest.mark.parametrize("name", TASKS)
def test_no_task_is_green_when_what_it_stands_on_fails(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(TASKS[name], json=True)
    answer = json.loads(capsys.readouterr().out)
    assert list(answer) == KEYS
    assert code == answer["exit_code"] == (1 if name in {"test", "check"} else 2)
    assert answer["command"] == name
    assert answer["errors"][0]["next"]


@pytest.mark.usefixtures("broken_ground")
@pytest.mark.parametrize("name", [name for name in TASKS if name.rpartition(".")[2] in CHANGING])
def test_every_task_that_changes_something_refuses_invokes_dry_run(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    context = Context()
    context.config.run.dry = True
    assert run(TASKS[name], context, json=True) == 2
    error = json.loads(capsys.readouterr().out)["errors"][0]
    assert error["kind"] == "bad_input"
    assert error["next"].removeprefix("./inv ") in TASKS, "the next thing to type exists"


@pytest.mark.parametrize(("raised", "code"), [(KeyboardInterrupt, 130), (Interrupted(15), 143)])
def test_an_ended_task_prints_its_one_object_too(
    raised: type[BaseException], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def body(this: Command) -> None:
        this.outcome.changes.append("start unit postgres")
        raise raised

    assert conduct(body) == code
    answer = json.loads(capsys.readouterr().out)
    assert (list(answer), answer["exit_code"]) == (KEYS, code)
    assert answer["changes"] == ["start unit postgres"]


def conduct(body: Callable[..., None], *, as_json: bool = True) -> int:
    return module.conduct("finance_report.app.setup", body, {"json": as_json})


def test_a_signal_after_a_failure_still_tells_the_failure(capsys: pytest.CaptureFixture[str]) -> None:
    def body(this: Command) -> None:
        this.outcome.fail(KnownBad("the release does not serve"))
        raise KeyboardInterrupt

    assert conduct(body) == 130
    answer = json.loads(capsys.readouterr().out)
    assert [error["kind"] for error in answer["errors"]] == ["known_bad"]


@pytest.mark.parametrize("pytest_code", [0, 1, 2, 3, 4, 5])
def test_the_codes_of_pytest_keep_their_meaning(
    pytest_code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A suite that fails or holds nothing is known to be bad; a wrong command line checked nothing."""
    monkeypatch.setattr(foreground, "run", lambda *_words: pytest_code)
    expected = {0: 0, 4: 2}.get(pytest_code, 1)
    assert run(TASKS["test"], json=True) == expected
    assert json.loads(capsys.readouterr().out)["facts"]["pytest_exit_code"] == pytest_code


def test_a_quick_run_goes_with_words_for_pytest_and_any_number_of_workers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[list[str]] = []

    def passes(argv: list[str], *_more: object) -> int:
        seen.append(argv[2:])
        return 0

    monkeypatch.setattr(foreground, "run", passes)
    assert run(TASKS["test"], quick=True, args="-x tests/model") == 0
    assert run(TASKS["test"], quick=True, workers=1) == 0
    assert run(TASKS["test"]) == 0
    spread = ("--dist", "worksteal")
    assert seen == [
        ["pytest", "-n", "3", *spread, "--quick", "-x", "tests/model"],
        ["pytest", "--quick"],
        ["pytest", "-n", "2", *spread],
    ]


@pytest.mark.parametrize(("ended", "code"), [(-2, 130), (-15, 143)])
def test_a_signal_that_ends_pytest_is_told_as_a_signal(
    ended: int, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreground, "run", lambda *_words: ended)
    assert run(TASKS["test"]) == code


def test_a_cell_that_is_cut_inside_a_secret_shows_no_part_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    secret = "correct-horse-battery-staple"

    def body(this: Command) -> None:
        this.redactor.learn(Secret(secret))
        this.console.table([["x" * padding + secret] for padding in range(CELL - len(secret), CELL)])

    conduct(body, as_json=False)
    assert secret[:8] not in capsys.readouterr().out


@pytest.fixture
def empty_home() -> Iterator[Path]:
    """A home folder without any state, where the database's user can enter."""
    with tempfile.TemporaryDirectory(prefix="home-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_plan_with_changes_exits_3_and_a_wrong_argument_2(empty_home: Path) -> None:
    names = ("XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")
    variables = {name: str(empty_home / name) for name in names}
    variables |= {"PATH": os.environ["PATH"], "HOME": str(empty_home)}

    def plan(*words: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "invoke", "finance_report.redis.plan", "--json", *words]
        return subprocess.run(
            argv, cwd=ROOT, env=variables, capture_output=True, text=True, check=False, timeout=60
        )

    pending, wrong = plan("--env", "local"), plan("--env", "prd")
    for done, code in ((pending, 3), (wrong, 2)):
        answer = json.loads(done.stdout)
        assert (done.returncode, answer["exit_code"], list(answer)) == (code, code, KEYS), done.stderr
        assert done.stdout.count("\n") == 1
    assert json.loads(pending.stdout)["changes"]
    assert {path.name for path in empty_home.iterdir()} <= {"XDG_CACHE_HOME"}, "a plan writes nothing"
