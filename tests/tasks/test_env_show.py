"""What `env.show` tells is what is in force in this checkout."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from finance_report import PROJECT
from infra import env_show
from infra.choices import Wishes
from infra.console import Console
from infra.invocation import Command
from infra.model.naming import checkout_id
from infra.model.redaction import Redactor
from infra.model.verdict import Outcome
from infra.workspace import settings_file
from tasks.root import ROOT
from tests.stages.machine import held, usual


@dataclass
class Place:
    """A checkout of its own with its own state."""

    folder: Path

    @property
    def root(self) -> Path:
        return self.folder / "checkout"

    def rows(self, env: str = "local", target: str = "") -> dict[tuple[str, str], tuple[str, str]]:
        settings_file.load.cache_clear()
        variables = {"XDG_STATE_HOME": str(self.folder / "state"), "XDG_DATA_HOME": str(self.folder / "data")}
        redactor = Redactor()
        outcome = Outcome("env.show", env)
        this = Command(outcome, Console(redactor, as_json=True), redactor, self.root, variables)
        env_show.show(this, PROJECT, Wishes(env, target))
        return {(row["kind"], row["name"]): (row["value"], row["source"]) for row in outcome.facts["rows"]}

    def record(self, ports: dict[str, int], env: str = "local") -> None:
        folder = self.folder / "state/finance_report" / checkout_id(self.root) / env
        folder.mkdir(parents=True)
        (folder / "ports.json").write_text(json.dumps(ports), encoding="utf-8")

    def settings(self, text: str) -> None:
        (self.root / "invoke.local.yaml").write_text(text, encoding="utf-8")


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="shown-"))  # not pytest's own: root's servers could not enter it
    folder.chmod(0o755)
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    for name in ("templates", "finance_report"):
        shutil.copytree(ROOT / name, folder / "checkout" / name)
    yield Place(folder)
    settings_file.load.cache_clear()
    shutil.rmtree(folder)


def test_ports_are_those_of_this_checkout_with_where_they_come_from(place: Place) -> None:
    ports = usual()
    place.record(ports)
    place.settings("ports:\n  router: 3005\n")
    rows = place.rows()
    postgres = f"127.0.0.1:{ports['postgres']}"
    assert rows["port", "postgres"] == (postgres, "chosen for this checkout")
    assert rows["port", "router"] == ("127.0.0.1:3005", "ports/router, invoke.local.yaml line 2")
    assert rows["address", "url"][0] == "http://127.0.0.1:3005"
    assert place.rows("local_ci")["port", "postgres"][0] == postgres
    place.record({**ports, "postgres": 5999}, "staging")
    assert place.rows("staging", "process")["port", "postgres"][0] == "127.0.0.1:5999"


def test_before_the_first_setup_ports_are_those_that_it_would_choose(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = usual()
    monkeypatch.setattr("infra.assembly.usual_of", lambda *_: ports)
    with held(ports["redis"]):
        rows = place.rows()
    assert rows["port", "postgres"] == (f"127.0.0.1:{ports['postgres'] + 100}", "free now; setup chooses")


@pytest.mark.parametrize(("env", "target"), [("local", ""), ("staging", "process"), ("staging", "")])
def test_the_deadline_is_the_written_one_beside_its_line(place: Place, env: str, target: str) -> None:
    place.settings(f"environments:\n  {env}:\n    deadline: 77\n")
    written = f"environments/{env}/deadline, invoke.local.yaml line 3"
    assert place.rows(env, target)["limit", "health deadline"] == ("77 s", written)
