"""Checks in clones, with real git and a stand-in for our commands: how each of them fails."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import cast

import pytest

import finance_report
from infra.accept.checks import clones
from infra.accept.ground import Disproved, Ground
from infra.accept.processes import Done
from infra.accept.throwaway import Throwaway

pytestmark = pytest.mark.needs("git")

WARNING = "! no branch is known: the namespace comes from the folder alone"
Command = Callable[[Path], Done]


@dataclass
class Trial:
    """A throw-away checkout that holds one file, and whose commands do what a test says."""

    folder: Path
    command: Command

    @property
    def variables(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder)}

    def another(self, name: str) -> Path:
        place = self.folder / name
        place.mkdir()
        (place / "inv").write_text("#!/bin/sh\n", encoding="utf-8")
        return place

    def inv_in(self, checkout: Path, _words: str) -> Done:
        return self.command(checkout)


def ground(folder: Path, command: Command) -> Ground:
    trial = cast("Throwaway", Trial(folder, command))
    return Ground(folder, finance_report.PROJECT, trial, "main", folder)


def named(name: str, said: str = "") -> Done:
    return Done("test.names --json", 0, json.dumps({"facts": {"namespace": name}}), said)


def by_folder(start: str, said: str = "") -> Command:
    return lambda folder: named(f"{start}_{sha256(str(folder).encode()).hexdigest()[:8]}", said)


def test_two_clones_of_a_branch_with_names_apart_are_good(tmp_path: Path) -> None:
    found = clones.branch_names(ground(tmp_path, by_folder("payments")), "payments")
    assert (found.state, found.real) == ("ok", frozenset({"GIT"}))
    assert clones.branch_names(ground(tmp_path, by_folder("default", WARNING))).state == "ok"
    assert list(tmp_path.iterdir()) == [], "nothing of the clones stays"


def test_two_clones_that_share_a_name_are_told(tmp_path: Path) -> None:
    with pytest.raises(Disproved, match="namespace payments, not payments_"):
        clones.branch_names(ground(tmp_path, lambda _folder: named("payments")), "payments")


def test_a_name_from_the_folder_alone_without_its_warning_is_told(tmp_path: Path) -> None:
    with pytest.raises(Disproved, match="says ''"):
        clones.branch_names(ground(tmp_path, by_folder("default")))


def hook(text: str) -> Command:
    def install(folder: Path) -> Done:
        file = folder / ".git/hooks/pre-push"
        file.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        file.chmod(0o755)
        return Done("hooks.install", 0, "{}", "")

    return install


SAID = 'echo "finance_report: cleaned" >&2'
GOOD = f"{SAID}; mkdir -p ~/cache/finance_report; echo x > ~/cache/finance_report/pre-push.log"


def test_a_hook_that_lets_the_push_pass_and_cleans_up_is_good(tmp_path: Path) -> None:
    assert clones.hook_pushes(ground(tmp_path, hook(GOOD))).real == {"GIT"}


FAULTS = {
    "a hook that refuses": (f"{GOOD}; exit 1", "git push: exit 1"),
    "a hook that says nothing": ("exit 0", "the hook says"),
    "a hook that cleans nothing up": (SAID, "no clean-up wrote"),
}


@pytest.mark.parametrize(("text", "words"), FAULTS.values(), ids=FAULTS)
def test_a_hook_that_breaks_its_promise_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    monkeypatch.setattr(clones, "TRUE_WITHIN", 0.2)
    with pytest.raises(Disproved, match=words):
        clones.hook_pushes(ground(tmp_path, hook(text)))
