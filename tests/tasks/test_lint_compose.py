"""`lint.compose`: which texts it takes, what it prints, its exit codes, and the compose program beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.paper import EVERY
from infra.targets import compose_cli
from tasks.conduct import conduct
from tasks.lint import compose
from tests.plan.lint_cases import HERE
from tests.plan.scenes import RELEASE

BODY = compose.body.__wrapped__  # type: ignore[attr-defined]  # what the decorator was given
Run = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture(autouse=True)
def no_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty PATH: a compose program is there only when a test makes one."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setattr(compose_cli, "PLUGINS", ())
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("INV_CWD", str(tmp_path))
    monkeypatch.delenv("DEPLOY_ENV", raising=False)
    return programs


@pytest.fixture
def lint(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(**wishes: Any) -> tuple[int, dict[str, Any]]:
        code = conduct("lint.compose", BODY, {"json": True, **wishes})
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        assert answer["exit_code"] == code
        return code, answer

    return run


@pytest.fixture
def release(tmp_path: Path) -> str:
    images = {part: image.reference for part, image in RELEASE.images.items()}
    written = {"version": RELEASE.version, "commit": RELEASE.commit, "images": images}
    (tmp_path / "release.json").write_text(json.dumps(written), encoding="utf-8")
    return "release.json"


def make(program: Path, *, version: str, code: int = 0, said: str = "") -> None:
    """Write a program that tells its version, or reads a text and says something about it."""
    script = f'[ "$1" = version ] && echo {version} && exit 0\nread -r line\necho "{said}" >&2\nexit {code}'
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)


def broken(tmp_path: Path, old: str, new: str) -> str:
    text = (HERE / "good/production.yaml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "mine.yaml").write_text(text.replace(old, new), encoding="utf-8")
    return "mine.yaml"


def test_every_environment_keeps_every_rule_with_a_release(lint: Run, release: str) -> None:
    code, answer = lint(all=True, release=release)
    assert (code, answer["facts"]["findings"]) == (0, [])
    files = answer["facts"]["files"]
    assert {file.split("/")[0] for file in files} == set(EVERY)
    assert {"staging/app/compose.yaml", "pr_47/minio/compose.yaml", "local/router/compose.yaml"} <= set(files)


def test_a_digest_that_nobody_knows_is_no_break_and_no_success(lint: Run) -> None:
    code, answer = lint(env="staging")
    assert code == 2
    assert {(one["rule"], one["is_unknown"]) for one in answer["facts"]["findings"]} == {("C7", True)}
    assert "--release" in answer["errors"][0]["next"]


def test_a_broken_rule_outweighs_an_unknown_one(lint: Run, tmp_path: Path) -> None:
    digest = "1" * 64
    file = broken(tmp_path, f"sha256:{digest}", "sha256:<unresolved>")
    assert lint(env="production", service="postgres", file=file)[0] == 2
    text = (tmp_path / file).read_text(encoding="utf-8")
    (tmp_path / file).write_text(text.replace("init: true", "init: false"), encoding="utf-8")
    code, answer = lint(env="production", service="postgres", file=file)
    assert (code, answer["errors"][0]["message"]) == (1, "1 finding in 1 file: C1")


def test_a_file_is_linted_as_that_of_its_environment_and_service(lint: Run, tmp_path: Path) -> None:
    file = broken(tmp_path, "pids_limit: 200", "pids_limit: 200")
    assert lint(env="production", service="postgres", file=file)[0] == 0
    code, answer = lint(env="staging", service="postgres", file=file)
    assert code == 1
    assert {"C5", "C8", "C17"} <= {one["rule"] for one in answer["facts"]["findings"]}
    assert {one["file"] for one in answer["facts"]["findings"]} == {file}


def test_without_wishes_it_is_the_default_environment(lint: Run) -> None:
    assert lint()[1]["env"] == "local"


WRONG = {
    "all and one": ({"all": True, "env": "staging"}, "--all means every environment"),
    "all and a file": ({"all": True, "file": "x"}, "--all means every environment"),
    "a file without a service": ({"env": "staging", "file": "x"}, "--file needs --service"),
    "a service that is none": ({"env": "staging", "service": "web"}, "'web' is no service"),
    "a service that is elsewhere": (
        {"env": "staging", "service": "minio"},
        "minio is not deployed in staging",
    ),
    "a file that is not there": ({"service": "app", "file": "none.yaml"}, "--file none.yaml"),
    "an environment that is none": ({"env": "prd"}, "prd"),
}


@pytest.mark.parametrize(("wishes", "words"), WRONG.values(), ids=WRONG)
def test_wishes_that_make_no_sense_are_refused_with_a_way_on(
    lint: Run, wishes: dict[str, Any], words: str
) -> None:
    code, answer = lint(**wishes)
    error = answer["errors"][0]
    assert (code, error["kind"], words in error["message"], bool(error["next"])) == (
        2,
        "bad_input",
        True,
        True,
    )


def test_without_a_compose_program_it_is_said_that_it_was_not_asked(
    lint: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lint(env="production", service="postgres")[1]["facts"]["compose"] == "not on PATH"
    conduct("lint.compose", BODY, {"env": "production", "service": "postgres"})
    assert "no compose program 2.23.1 or newer is on PATH: it was not asked" in capsys.readouterr().err


@pytest.mark.parametrize("version", ["2.23.0", "1.29.2", "unknown"])
def test_a_compose_program_that_is_too_old_is_not_asked(lint: Run, no_program: Path, version: str) -> None:
    make(no_program / "docker-compose", version=version, code=1)
    code, answer = lint(env="production", service="postgres")
    assert (code, answer["facts"]["compose"]) == (0, "not on PATH")


def test_what_the_compose_program_has_against_a_text_is_a_finding(lint: Run, no_program: Path) -> None:
    make(no_program / "docker-compose", version="v2.40.3-3", code=15, said="services.x is wrong")
    code, answer = lint(env="production", service="postgres")
    found = [(one["rule"], one["file"], one["message"]) for one in answer["facts"]["findings"]]
    assert (code, found) == (1, [("compose", "production/postgres/compose.yaml", "services.x is wrong")])
    assert answer["facts"]["compose"] == "v2.40.3-3"


def test_a_compose_program_that_agrees_changes_nothing(lint: Run, no_program: Path) -> None:
    make(no_program / "docker-compose", version="2.23.1")
    code, answer = lint(env="production", service="postgres")
    assert (code, answer["facts"]["compose"]) == (0, "2.23.1")


def test_a_file_whose_aliases_multiply_is_refused_and_never_handed_to_the_program(
    lint: Run, no_program: Path, tmp_path: Path
) -> None:
    make(no_program / "docker-compose", version="2.40.0", code=1, said="it was asked")
    rows = (f"a{row}: &a{row} [{','.join([f'*a{row - 1}'] * 10)}]\n" for row in range(1, 11))
    (tmp_path / "mine.yaml").write_text("services: {}\na0: &a0 x\n" + "".join(rows), encoding="utf-8")
    code, answer = lint(env="staging", service="app", file="mine.yaml")
    said = " ".join(one["message"] for one in answer["facts"]["findings"])
    assert code == 1
    assert "line 7: 1 MiB at most are expected, with what aliases repeat written out" in said
    assert "it was asked" not in said


def test_a_file_that_is_too_long_is_refused(lint: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("#" * 1_048_577, encoding="utf-8")
    code, answer = lint(env="staging", service="app", file="mine.yaml")
    assert code == 1
    assert "1 MiB at most are expected" in answer["facts"]["findings"][0]["message"]
