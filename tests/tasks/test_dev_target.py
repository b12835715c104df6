"""Where development servers run: as processes or alone, and never in containers that nobody can start."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

import finance_report
from infra.console import Console
from infra.dev import seat as module
from infra.dev.seat import target_of_local
from infra.invocation import Command
from infra.model.errors import BadInput, Denied, MissingProgram
from infra.model.redaction import Redactor
from infra.model.verdict import Outcome
from tasks.root import ROOT


def target(root: Path, asked: str, written: str) -> str:
    local = {"environments": {"local": {"target": written}}} if written else {}
    (root / "invoke.yaml").write_text(json.dumps(local), encoding="utf-8")
    redactor = Redactor()
    this = Command(Outcome("dev.backend", ""), Console(redactor), redactor, root, dict(os.environ))
    return target_of_local(this, asked)


@pytest.mark.parametrize(
    ("asked", "written", "expected"),
    [
        ("", "", "process"),
        ("", "none", "none"),
        ("process", "none", "process"),
        ("none", "docker", "none"),
    ],
)
def test_what_is_asked_wins_over_what_is_written(
    tmp_path: Path, asked: str, written: str, expected: str
) -> None:
    assert target(tmp_path, asked, written) == expected


@pytest.mark.parametrize(
    ("asked", "written", "way_on"),
    [
        ("docker", "", "./inv dev.backend --target process"),
        ("", "docker", "set environments: {local: {target: process}} in invoke.local.yaml"),
    ],
)
def test_containers_are_refused_with_what_helps(
    tmp_path: Path, asked: str, written: str, way_on: str
) -> None:
    with pytest.raises(MissingProgram) as refused:
        target(tmp_path, asked, written)
    assert refused.value.next_step == way_on


def test_a_target_that_nobody_knows_is_refused_with_those_that_are_known(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="process, docker, none"):
        target(tmp_path, "moon", "")


def test_a_development_server_starts_from_no_tree_that_others_can_write(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_source: Path) -> None:
        raise Denied("others can write it")

    target = SimpleNamespace(snapshots=SimpleNamespace(require_closed=refuse))
    session = SimpleNamespace(target=target, source=ROOT / "reference_app")
    monkeypatch.setattr(module, "open_session", lambda *_words, **_more: session)
    monkeypatch.setattr(module, "target_of_local", lambda *_words: "process")
    with pytest.raises(Denied, match="others can write it"):
        module.seat(SimpleNamespace(), finance_report.PROJECT, "backend", "process")  # type: ignore[arg-type]
