"""The caller's variables while a command runs: set aside for all libraries, and there again afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import finance_report
from infra.choices import let_through, secret_like
from infra.console import Console
from infra.invocation import Command
from infra.model.errors import BadInput
from infra.model.redaction import Redactor
from infra.model.verdict import Outcome
from tasks.callers_shell import ignore_wishes_for_invoke, set_aside
from tasks.root import ROOT
from tests.tasks.test_command import conduct


def test_a_body_has_the_callers_variables_and_its_process_only_what_all_may_see(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PGSSLMODE", "require")
    monkeypatch.setenv("LANG", "xx_YY")
    before = dict(os.environ)
    with set_aside() as callers:
        assert (callers["PGSSLMODE"], callers["LANG"]) == ("require", "xx_YY")
        assert (os.environ.get("PGSSLMODE"), os.environ["LANG"]) == (None, "C.UTF-8")
        assert os.environ["PATH"] == callers["PATH"]
    assert dict(os.environ) == before


def test_each_task_is_run_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOSTADDR", "192.0.2.1")
    seen = []
    conduct(lambda this: seen.append((this.variables["PGHOSTADDR"], os.environ.get("PGHOSTADDR"))))
    assert seen == [("192.0.2.1", None)]


def test_wishes_for_invoke_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVOKE_RUN_DRY", "1")
    ignore_wishes_for_invoke()
    assert "INVOKE_RUN_DRY" not in os.environ


@pytest.mark.parametrize(
    "shell",
    [
        {"PYTHONIOENCODING": "ascii:strict"},
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "xx_YY.UTF-8"},
    ],
)
def test_every_language_of_a_shell_prints_the_same_bytes(shell: dict[str, str]) -> None:
    """Also of what is no text at all, such as the name of a file of another age."""
    script = r"import sys, tasks; print('\u2713 \u2192 \xe9 \udcff'); print('\u2717', file=sys.stderr)"
    argv, home = [sys.executable, "-c", script], {"PATH": os.environ["PATH"]}
    done = subprocess.run(argv, cwd=ROOT, env={**home, **shell}, capture_output=True, check=False)
    assert (done.stdout.decode(), done.stderr.decode()) == ("✓ → é \\udcff\n", "✗\n")


def test_values_that_look_like_secrets_are_known_by_their_name_or_by_a_login() -> None:
    values = {"SHOP_TOKEN": "a b", "BROKER": "amqp://me:word@mq.test/", "COLOUR": "green", "PLAIN_KEY": "k"}
    assert [one.reveal() for one in secret_like(values)] == ["a b", "amqp://me:word@mq.test/", "k"]


def command(root: Path, names: str, **variables: str) -> Command:
    """Give a command of a checkout whose settings let these names through."""
    (root / "invoke.yaml").write_text(f"app: {{environment: [{names}]}}\n", encoding="utf-8")
    redactor = Redactor()
    return Command(Outcome("plan", ""), Console(redactor), redactor, root, variables)


def test_a_secret_that_is_let_through_is_masked_wherever_it_is_printed(tmp_path: Path) -> None:
    this = command(tmp_path, "SHOP_TOKEN, COLOUR", SHOP_TOKEN="token-of-the-shop", COLOUR="viridian")
    assert let_through(this, finance_report.PROJECT).values == this.variables
    assert this.redactor.redact("token-of-the-shop is viridian") == "*** is viridian"


def test_a_key_of_a_secret_is_not_let_through_whatever_it_is_set_to(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="DATABASE_URL is a key of a secret"):
        let_through(command(tmp_path, "COLOUR, DATABASE_URL", COLOUR="red"), finance_report.PROJECT)
