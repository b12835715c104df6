"""The application's own suite in a real browser, against an environment that runs."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from infra import foreground, smoke
from infra.choices import let_through
from infra.model.answer import NoAnswer
from infra.model.errors import BadInput, MissingProgram, Unreachable
from infra.model.pytest_code import require_passed
from infra.model.variables import seen_by
from infra.plan.smoke import is_production
from infra.targets.process import programs
from infra.testing.application import Application
from infra.verify.http import ask
from infra.workspace import settings_file

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.service import Project

FOLDER = "e2e"
BROWSER = Path("/usr/bin/chromium")
NEEDS = ("pytest", "pytest_playwright")
READ_ONLY = ("-m", "not writes")
_OWN_BROWSER = (
    "from playwright.sync_api import sync_playwright as it\n"
    "with it() as one: print(one.chromium.executable_path)"
)


def run(this: Command, project: Project, env: str | None, base_url: str, args: str) -> None:
    """Run the suite; KnownBad when a test fails, CannotTell without a browser, a suite or an answer.

    Production is only read: tests that write are left out there.
    """
    folder = (this.root / settings_file.load(this.root).app.source).resolve() / FOLDER
    if not folder.is_dir():
        raise BadInput(f"{folder}: the application has no browser tests", next_step=f"write them in {folder}")
    url, name = smoke.address(this, project, env, base_url)
    this.outcome.env = name
    this.outcome.facts |= {"target": url}
    this.console.line(f"target {url} ({name})")
    python = programs.python_in(folder)
    seen = {**seen_by("browser", this.variables), **let_through(this, project).values}
    require_tools(Application(folder.parent, python, this.variables), folder, seen)
    answer = ask(f"{url}/")
    if isinstance(answer, NoAnswer):
        way_on = f"{project.name}.setup" if name == "local" else "smoke"
        raise Unreachable(f"{url} does not answer: {answer}", next_step=f"./inv {way_on} --env {name}")
    narrow = READ_ONLY if is_production(url, name, {smoke.production_host(this, project)}) else ()
    argv = (python, "-m", "pytest", *narrow, *shlex.split(args))
    code = foreground.run(argv, folder, {**seen, "BASE_URL": url})
    this.outcome.facts["pytest_exit_code"] = code
    again = f"./inv test.e2e --env {name} --args -x"
    require_passed(code, again, again)


def require_tools(application: Application, folder: Path, seen: Mapping[str, str]) -> None:
    """Raise MissingProgram unless the application's Python has what the suite needs, beside a browser."""
    missing = set(NEEDS) - application.installed(*NEEDS)
    if missing:
        raise MissingProgram(
            f"{application.python} lacks {' and '.join(sorted(missing))}",
            next_step=f"{application.python} -m pip install pytest pytest-playwright",
        )
    if not BROWSER.exists() and not _has_own_browser(application.python, folder, seen):
        raise MissingProgram(
            f"there is no browser: neither {BROWSER} nor one of Playwright's own",
            next_step=f"apt-get install chromium   # or {application.python} -m playwright install chromium",
        )


def _has_own_browser(python: str, folder: Path, seen: Mapping[str, str]) -> bool:
    done = subprocess.run(
        [python, "-c", _OWN_BROWSER],
        check=False,
        cwd=folder,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=dict(seen),
    )
    return done.returncode == 0 and Path(done.stdout.strip()).is_file()
