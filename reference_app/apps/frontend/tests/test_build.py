"""`python build.py`: whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import build


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "dist"


def content(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_build_writes_every_file_and_a_manifest_of_them(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build.main(["--out", str(out)]) == 0
    files = content(out)
    manifest = json.loads(files.pop("manifest.json"))
    assert sorted(files) == manifest["files"] == sorted(capsys.readouterr().out.split()[1::2])


def test_a_build_replaces_the_one_before(out: Path) -> None:
    build.main(["--out", str(out)])
    before = content(out)
    (out / "left-over.html").write_text("old")
    assert build.main(["--out", str(out)]) == 0
    assert content(out) == before
    assert [folder.name for folder in out.parent.iterdir()] == ["dist"]


def test_a_check_writes_nothing(out: Path) -> None:
    assert build.main(["--check", "--out", str(out)]) == 0
    assert not out.exists()


def test_a_broken_page_fails_and_leaves_the_build_before(
    out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    build.main(["--out", str(out)])
    before = content(out)
    monkeypatch.setattr(build, "HERE", tmp_path)
    assert build.main(["--out", str(out)]) == 1
    assert "layout.html: is missing" in capsys.readouterr().err
    assert content(out) == before
