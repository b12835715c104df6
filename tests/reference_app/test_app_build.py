"""The frontend's build as a command, and the server over it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reference_app.running import FRONTEND, started

pytestmark = pytest.mark.real

HASHED = r'"(/static/app\.[0-9a-f]{12}\.js)"'


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Give a copy of the frontend's tree to build and to break."""
    ignored = shutil.ignore_patterns("__pycache__", "dist")
    return Path(shutil.copytree(FRONTEND, tmp_path / "frontend", ignore=ignored))


def build(folder: Path, variables: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run the build to its end."""
    command = [sys.executable, "build.py", *words]
    return subprocess.run(command, check=False, cwd=folder, env=variables, capture_output=True, text=True)


def test_a_build_is_served_with_names_that_change_with_their_content(
    copy: Path, variables: dict[str, str], tmp_path: Path
) -> None:
    done = build(copy, variables)
    assert done.returncode == 0, done.stderr
    kept = {name: value for name, value in variables.items() if not name.endswith("_URL")}
    with started(copy, "server:app", kept, tmp_path / "log") as app:
        found = re.search(HASHED, app.get("/").body)
        assert found
        assert "immutable" in app.get(found[1]).headers["cache-control"]
        assert app.get("/static/app.js").status == 404


def test_a_broken_page_fails_the_build_and_is_named(copy: Path, variables: dict[str, str]) -> None:
    page = copy / "pages" / "login.html"
    page.write_text(page.read_text().replace("</form>", "", 1))
    done = build(copy, variables, "--check")
    assert (done.returncode, done.stderr) == (1, "pages/login.html: <form> is never closed\n")
    assert not (copy / "dist").exists()
