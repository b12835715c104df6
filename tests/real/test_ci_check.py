"""The one button: green on the reference application, and red for each part that is broken."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.real.conftest import ROOT, Checkout

pytestmark = pytest.mark.real
STEPS = ("lint", "types", "format", "test", "build")
OFF = "{" + ", ".join(f"{step}: []" for step in STEPS) + "}"
SHARED = {"docs reference", "keys contract", "compose lint"}


@pytest.fixture
def checkout(checkout: Checkout) -> Checkout:
    shutil.copytree(ROOT / "docs", checkout.root / "docs")
    return checkout


def button(checkout: Checkout, code: int, *words: str) -> dict[str, str]:
    """Press it, and give the verdict of each row."""
    done = checkout.run("ci.check", "--json", *words)
    assert done.code == code, done.err
    return {f"{row['part']} {row['step']}": row["verdict"] for row in done.json["facts"]["rows"]}


def test_the_reference_application_is_green_and_leaves_nothing_behind(
    checkout: Checkout, tmp_path: Path
) -> None:
    report = tmp_path / "coverage.json"
    done = checkout.run("ci.check", "--json", "--report", str(report))
    assert done.code == 0, done.err
    facts = done.json["facts"]
    verdicts = {f"{row['part']} {row['step']}": row["verdict"] for row in facts["rows"]}
    assert verdicts.pop("backend build") == "skipped"
    assert set(verdicts.values()) == {"ok"}
    assert verdicts.keys() >= SHARED | {"backend coverage", "backend types", "frontend build"}
    assert (facts["coverage"]["lines"] >= 92, facts["coverage"]["branches"] > 0) == (True, True)
    assert facts["tests"]["tests"]["passed"] > 100
    assert "target 97" in done.err
    assert report.stat().st_size > 0
    assert checkout.processes() == {}


def test_what_is_shared_is_checked_and_each_of_it_can_fail(checkout: Checkout) -> None:
    checkout.settings(f"code: {{backend: {OFF}, frontend: {OFF}}}\n")
    assert {name for name, verdict in button(checkout, 0).items() if verdict == "ok"} == SHARED
    page = checkout.root / "docs/reference/services.md"
    page.write_text(page.read_text(encoding="utf-8") + "by hand\n", encoding="utf-8")
    example = checkout.root / "reference_app/.env.example"
    example.write_text(
        example.read_text(encoding="utf-8").replace("APP_VERSION=", "# APP_VERSION="), encoding="utf-8"
    )
    compose = checkout.root / "templates/compose/compose.yaml.j2"
    text = compose.read_text(encoding="utf-8")
    assert "init: true" in text
    compose.write_text(text.replace("init: true", "init: false"), encoding="utf-8")
    assert {name for name, verdict in button(checkout, 1).items() if verdict == "failed"} == SHARED


BROKEN = {
    "backend lint": ("apps/backend/src/ping.py", "import os\n"),
    "backend types": ("apps/backend/src/ping.py", 'number: int = "none"\n'),
    "backend format": ("apps/backend/src/ping.py", "x    =   1\n"),
    "frontend test": (
        "apps/frontend/tests/test_bundle.py",
        "\n\ndef test_bad() -> None:\n    assert not 1\n",
    ),
    "frontend build": ("apps/frontend/pages/overview.html", "<p>\n"),
}


def test_each_task_is_green_alone_and_each_broken_part_is_red_and_named(checkout: Checkout) -> None:
    checkout.settings("code: {backend: {test: [python, -c, raise SystemExit(3)]}}\n")
    for task in ("code.lint", "code.format", "code.build"):
        done = checkout.run(task)
        assert done.code == 0, done.err
    assert checkout.run("code.test").code == 1
    for name, text in BROKEN.values():
        file = checkout.root / "reference_app" / name
        file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")
    rows = button(checkout, 1)
    failed = {name for name, verdict in rows.items() if verdict == "failed"}
    assert failed >= {*BROKEN, "backend test"}
    assert rows["backend coverage"] == "unknown"
    fixed = checkout.run("code.format", "--fix")
    assert fixed.code == 0, fixed.err
    assert checkout.run("code.format").code == 0


@pytest.mark.needs("chromium")
def test_the_browser_tests_run_against_an_address_and_say_what_is_missing(checkout: Checkout) -> None:
    nobody = checkout.run("test.e2e", "--base-url", "http://127.0.0.1:9")
    assert (nobody.code, "does not answer" in nobody.err) == (2, True)
    twice = checkout.run("test.e2e", "--base-url", "http://127.0.0.1:9", BASE_URL="http://127.0.0.1:10")
    assert (twice.code, "BASE_URL" in twice.err) == (2, True)
    checkout.setup()
    done = checkout.run("test.e2e", "--env", "local", "--args", "-k 'unknown or switch'", "--json")
    assert (done.code, done.json["facts"]["target"]) == (0, checkout.url), done.err
    assert "2 passed" in done.err
    page = checkout.root / "reference_app/e2e/test_browser.py"
    page.write_text(
        page.read_text(encoding="utf-8") + "\n\ndef test_bad() -> None:\n    assert not 1\n", encoding="utf-8"
    )
    assert checkout.run("test.e2e", "--args", "-k bad").code == 1
    shutil.rmtree(checkout.root / "reference_app/e2e")
    assert checkout.run("test.e2e").code == 2
