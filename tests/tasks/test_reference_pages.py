"""The reference pages are what the code says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import finance_report
from infra import reference
from infra.console import Console
from infra.invocation import Command
from infra.model.errors import KnownBad
from infra.model.redaction import Redactor
from infra.model.verdict import Outcome
from tasks.root import ROOT


def command(root: Path) -> Command:
    redactor = Redactor()
    return Command(Outcome("docs.reference", ""), Console(redactor), redactor, root, {})


def test_the_pages_of_this_repository_are_up_to_date() -> None:
    reference.make(command(ROOT), finance_report.PROJECT, check=True)


def test_a_page_that_was_changed_by_hand_is_found_and_made_again(tmp_path: Path) -> None:
    shutil.copytree(ROOT / reference.FOLDER, tmp_path / reference.FOLDER)
    page = tmp_path / reference.FOLDER / "services.md"
    good = page.read_text(encoding="utf-8")
    page.write_text(good.replace("512 MiB", "64 MiB"), encoding="utf-8")
    with pytest.raises(KnownBad, match=r"services\.md"):
        reference.make(command(tmp_path), finance_report.PROJECT, check=True)
    reference.make(command(tmp_path), finance_report.PROJECT, check=False)
    assert page.read_text(encoding="utf-8") == good
