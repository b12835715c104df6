"""The smoke test as a command: production is only read, whatever a person calls the address."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

import finance_report
from infra import assembly
from infra.console import Console
from infra.invocation import Command
from infra.model.errors import Refused, Unreachable
from infra.model.redaction import Redactor
from infra.model.verdict import Outcome
from infra.smoke import Wishes, smoke
from infra.verify import smoke as wait
from tasks.root import ROOT


def command(**variables: str) -> Command:
    redactor = Redactor()
    kept = {name: text for name, text in os.environ.items() if name != "BASE_URL"}
    return Command(Outcome("smoke", ""), Console(redactor), redactor, ROOT, kept | variables)


@pytest.mark.parametrize("url", ["https://report.example.test", "https://REPORT.example.test.:8443/"])
def test_a_wish_to_write_under_the_address_of_production_is_refused(url: str) -> None:
    with pytest.raises(Refused, match="only reads"):
        smoke(command(), finance_report.PROJECT, "local", "", Wishes(base_url=url, mode="write"))


def test_where_nothing_was_ever_set_up_it_answers_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody is asked: it would wait for minutes, and nobody is about to start anything."""
    monkeypatch.setattr(assembly, "checkout_id", lambda _top: "0" * 8)
    monkeypatch.setattr(wait, "wait_until_ready", lambda *_given, **_more: pytest.fail("it waits"))
    with tempfile.TemporaryDirectory(prefix="home-") as home:
        Path(home).chmod(0o755)
        folders = {"XDG_STATE_HOME": f"{home}/state", "XDG_DATA_HOME": f"{home}/share"}
        with pytest.raises(Unreachable, match="local: nothing was ever set up here") as refused:
            smoke(command(**folders), finance_report.PROJECT, "local", "", Wishes())
        assert (refused.value.exit_code, refused.value.next_step) == (2, "./inv finance_report.setup")
        assert list(Path(home).iterdir()) == [], "it leaves nothing behind"
    assert capsys.readouterr().err == ""
