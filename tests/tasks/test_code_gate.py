"""The one button on a small application: the coverage gate, and what cannot be run."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

import finance_report
from infra.code import check
from infra.console import Console
from infra.invocation import Command
from infra.model.errors import InfraError
from infra.model.redaction import Redactor
from infra.model.verdict import Outcome

MEASURED = ["python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:valkey"]
MEASURED += ["--cov=src", "--cov-branch", "--cov-report=json:$COVERAGE"]
OFF: dict[str, list[str]] = {"lint": [], "types": [], "format": [], "build": []}


def source(covered: int, missed: int) -> str:
    """Give a module of so many statements that run when it is imported, and so many that never do."""
    return "x = 1\n" * (covered - 3) + "if x:\n    y = 2\ndef never():\n" + "    x = 1\n" * missed


@pytest.fixture
def application(tmp_path: Path) -> Path:
    """A backend whose tests run what a case writes into its folder."""
    backend = tmp_path / "app/apps/backend"
    (backend / "src/services").mkdir(parents=True)
    (backend / "tests").mkdir()
    for name in ("src", "src/services"):
        (backend / name / "__init__.py").touch()
    (backend / "conftest.py").touch()
    (backend / "tests/test_all.py").write_text(
        "import importlib\n\n\ndef test_all() -> None:\n"
        "    for name in ('src.main', 'src.services.layer'):\n        importlib.import_module(name)\n",
        encoding="utf-8",
    )
    return backend


def press(
    root: Path, monkeypatch: pytest.MonkeyPatch, backend: dict[str, Any], **code: Any
) -> tuple[int, dict[str, str], dict[str, Any]]:
    """Give exit code, verdicts and facts of the button without what is shared with this repository."""
    monkeypatch.setattr(check, "SHARED", {})
    settings = {"app": {"source": "app"}, "code": {"backend": OFF | backend, **code}}
    (root / "invoke.yaml").write_text(json.dumps(settings), encoding="utf-8")
    redactor = Redactor()
    outcome = Outcome("ci.check", "")
    this = Command(outcome, Console(redactor), redactor, root, dict(os.environ))
    try:
        check.check(this, finance_report.PROJECT, "")
        ended = 0
    except InfraError as error:
        ended = error.exit_code
    rows = outcome.facts["rows"]
    return ended, {f"{row['part']} {row['step']}": row["verdict"] for row in rows}, outcome.facts


@pytest.mark.parametrize(("covered", "code"), [(91, 1), (92, 0)])
def test_tests_that_run_91_of_100_lines_do_not_pass_and_92_do(
    application: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, covered: int, code: int
) -> None:
    (application / "src/main.py").write_text(source(covered, 100 - covered), encoding="utf-8")
    (application / "src/services/layer.py").touch()
    ended, rows, facts = press(tmp_path, monkeypatch, {"test": MEASURED})
    assert (ended, rows["backend test"]) == (code, "ok")
    assert rows["backend coverage"] == ("failed" if code else "ok")
    assert (facts["coverage"]["lines"], facts["coverage"]["branches"]) == (covered, 50.0)


@pytest.mark.parametrize(("covered", "code"), [(79, 1), (80, 0)])
def test_a_service_layer_at_79_does_not_pass_however_good_the_rest_is(
    application: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, covered: int, code: int
) -> None:
    (application / "src/main.py").write_text(source(900, 0) + "    pass\n", encoding="utf-8")
    (application / "src/services/layer.py").write_text(source(covered, 100 - covered), encoding="utf-8")
    limits = {"coverage": {"packages": {"src/services": 80}}}
    ended, rows, facts = press(tmp_path, monkeypatch, {"test": MEASURED}, **limits)
    assert (ended, rows["backend coverage"]) == (code, "failed" if code else "ok")
    assert facts["coverage"]["lines"] > 92
    assert facts["coverage"]["packages"] == {"src/services": covered}


@pytest.mark.usefixtures("application")
@pytest.mark.parametrize(
    ("backend", "code", "verdicts"),
    [
        ({"test": []}, 0, {"backend test": "skipped"}),
        ({"test": ["true"]}, 2, {"backend test": "ok", "backend coverage": "unknown"}),
        ({"test": ["false", "$COVERAGE"]}, 1, {"backend test": "failed", "backend coverage": "unknown"}),
        ({"test": [], "lint": ["no-such-program"]}, 1, {"backend lint": "failed"}),
        ({"test": [], "lint": ["python", "-m", "no_such_module"]}, 1, {"backend lint": "failed"}),
        ({"test": [], "build": None}, 0, {"backend build": "skipped"}),
        ({"test": []}, 0, {"frontend lint": "skipped", "frontend build": "skipped"}),
    ],
)
def test_what_is_left_out_is_skipped_and_what_is_written_and_cannot_run_fails(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    backend: dict[str, Any],
    code: int,
    verdicts: dict[str, str],
) -> None:
    ended, rows, _ = press(tmp_path, monkeypatch, backend)
    assert (ended, {name: rows[name] for name in verdicts}) == (code, verdicts)


@pytest.mark.usefixtures("application")
def test_a_part_that_is_declared_and_missing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frontend = {"frontend": {"lint": ["true"]}}
    ended, rows, _ = press(tmp_path, monkeypatch, {"test": []}, **frontend)
    assert (ended, rows["frontend lint"], rows["frontend build"]) == (1, "failed", "skipped")


def test_a_frontend_with_a_package_json_is_checked_by_its_own_scripts(
    application: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for npm notes what it is asked; it may install, and sees a proxy, and no database."""
    frontend = application.parent / "frontend"
    frontend.mkdir()
    (frontend / "package.json").write_text('{"scripts": {"lint": "x", "build": "x"}}', encoding="utf-8")
    npm = tmp_path / "bin/npm"
    npm.parent.mkdir()
    asked = tmp_path / "asked"
    words = f'#!/bin/sh\necho "$PWD $* ${{HTTPS_PROXY-}}${{PGHOST-}}" >>"{asked}"\n[ "$2" != build ]\n'
    npm.write_text(words, encoding="utf-8")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test")
    monkeypatch.setenv("PGHOST", "elsewhere.test")
    ended, rows, _ = press(tmp_path, monkeypatch, {"test": []})
    assert (ended, rows["frontend lint"], rows["frontend build"]) == (1, "ok", "failed")
    assert rows["frontend test"] == "skipped"
    said = asked.read_text(encoding="utf-8").splitlines()
    assert said == [f"{frontend} run {step} http://proxy.test" for step in ("lint", "build")]


def test_a_default_tool_that_is_not_installed_is_unknown(
    application: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = application / ".venv/bin/python"
    own.parent.mkdir(parents=True)
    own.write_text(f'#!/bin/sh\n[ "$1" = -c ] && exit 0\nexec {sys.executable} "$@"\n', encoding="utf-8")
    own.chmod(0o755)
    ended, rows, _ = press(tmp_path, monkeypatch, {"test": [], "lint": None})
    assert (ended, rows["backend lint"]) == (2, "unknown")
