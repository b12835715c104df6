"""The application's browser tests: what they need, and that production is only read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

import finance_report
from infra import e2e
from infra.console import Console
from infra.invocation import Command
from infra.model.errors import MissingProgram
from infra.model.redaction import Redactor
from infra.model.verdict import Outcome
from infra.verify.loopback import Reply, serving
from tasks.root import ROOT


def command() -> Command:
    redactor = Redactor()
    variables = {name: text for name, text in os.environ.items() if name != "BASE_URL"}
    return Command(Outcome("test.e2e", ""), Console(redactor), redactor, ROOT, variables)


def asked(monkeypatch: pytest.MonkeyPatch, env: str, url: str) -> tuple[str, ...]:
    """Give what pytest is started with against this address."""
    seen: list[tuple[str, ...]] = []

    def run(argv: Sequence[str], folder: Path, variables: dict[str, str]) -> int:
        seen.append((*argv[3:], folder.name, variables["BASE_URL"]))
        return 0

    monkeypatch.setattr("infra.foreground.run", run)
    monkeypatch.setattr(e2e, "BROWSER", Path("/bin/sh"))
    e2e.run(command(), finance_report.PROJECT, env, url, "-k one")
    return seen[0]


def test_production_is_only_read(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda *_: Reply()) as url:
        assert asked(monkeypatch, "production", url) == ("-m", "not writes", "-k", "one", "e2e", url)
        assert asked(monkeypatch, "staging", url) == ("-k", "one", "e2e", url)


@pytest.mark.parametrize(
    ("url", "is_production"),
    [
        ("https://report.example.test", True),
        ("https://REPORT.example.test:443/", True),
        ("http://report.example.test.:8080", True),
        ("https://report-staging.example.test", False),
        ("https://report.example.test.evil.test", False),
    ],
)
def test_production_is_known_by_its_host_whatever_the_environment_is_called(
    monkeypatch: pytest.MonkeyPatch, url: str, is_production: bool
) -> None:
    monkeypatch.setattr(e2e, "ask", lambda _url: None)
    assert ("not writes" in asked(monkeypatch, "staging", url)) == is_production


def test_without_a_browser_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(e2e, "BROWSER", tmp_path / "chromium")
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    with serving(lambda *_: Reply()) as url, pytest.raises(MissingProgram) as missing:
        e2e.run(command(), finance_report.PROJECT, "local", url, "")
    assert missing.value.exit_code == 2
    assert "apt-get install chromium" in missing.value.next_step
