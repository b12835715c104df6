"""What is run: pytest of the application, its arguments and its variables."""

from __future__ import annotations

import os
import shlex
import shutil
from dataclasses import dataclass
from typing import Any

from infra.model.errors import BadInput, MissingProgram
from infra.model.safety import REQUIRED
from infra.model.variables import seen_by
from infra.testing.application import Application
from infra.testing.ground import Ground
from infra.testing.suite import MARK

OBJECT_STORE = "s3"
MOST_WORKERS = 100
USUAL_WORKERS = 4
FAST = ("-m", "not slow and not e2e")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person asks of a test run; no workers means as many as fit.

    `beside` names what is started before the tests, though none of them may ask for it: s3.
    """

    env: str | None = None
    args: str = ""
    workers: int = 0
    keep: bool = False
    fast: bool = False
    beside: str = ""

    @property
    def wants_object_store(self) -> bool:
        """True when the object store is asked for by hand."""
        return self.beside == OBJECT_STORE

    def require_valid(self) -> None:
        """Refuse a number of workers that cannot be, and servers that nobody knows."""
        if self.beside not in {"", OBJECT_STORE}:
            raise BadInput(
                f"--with {self.beside}: {OBJECT_STORE} is expected",
                next_step=f"./inv test.run --with {OBJECT_STORE}",
            )
        if not 0 <= self.workers <= MOST_WORKERS:
            raise BadInput(
                f"--workers {self.workers}: 1 to {MOST_WORKERS} are expected", next_step="./inv test.run"
            )


@dataclass(frozen=True, slots=True)
class Line:
    """A command line, and how many workers it asks for."""

    argv: tuple[str, ...]
    workers: int


def line(application: Application, project: str, wishes: Wishes) -> Line:
    """Give pytest's command line; MissingProgram where the application lacks what it needs."""
    installed = application.installed("pytest", "xdist", "pytest_cov")
    workers = wishes.workers or (min(USUAL_WORKERS, os.cpu_count() or 1) if "xdist" in installed else 1)
    missing = {"pytest", *(["xdist"] if workers > 1 else [])} - installed
    if missing:
        raise MissingProgram(
            f"{application.python} lacks {' and '.join(sorted(missing))}",
            next_step=f"{application.python} -m pip install pytest pytest-xdist",
        )
    own = ["-p", f"{project}.pytest_plugin", "-p", "no:valkey"]
    split = ["-n", str(workers)] if workers > 1 else []
    fast = [*FAST, *(["--no-cov"] if "pytest_cov" in installed else [])] if wishes.fast else []
    words = (application.python, "-m", "pytest", *own, *split, *fast, *shlex.split(wishes.args))
    return Line(words, workers)


def variables(ground: Ground, application: Application, index: int, **own: str) -> dict[str, str]:
    """Give the variables of the tests: what an application may see of a person's, and its run's own."""
    return {
        **(_as_on_a_terminal() if ground.this.console.is_live else {}),
        **seen_by("application", ground.this.variables),
        **ground.passed.values,
        **REQUIRED,
        "ENV": "test",
        "TEST_NAMESPACE": ground.namespace or "",
        "S3_BUCKET": ground.bucket,
        "REDIS_URL": ground.servers.cache().url(index).reveal(),
        "GIT_COMMIT_SHA": application.release,
        "PYTHONPATH": str(ground.this.root),
        "INFRA_TEST_ENV": ground.environment,
        MARK: ground.run,
        **own,
    }


def _as_on_a_terminal() -> dict[str, str]:
    """Give what keeps colours and width as they are, though the tests write into a pipe."""
    return {"PY_COLORS": "1", "COLUMNS": str(shutil.get_terminal_size().columns)}


def summary(tests: dict[str, Any]) -> str:
    """Give how many tests ended how, in a few words."""
    return ", ".join(f"{count} {word}" for word, count in sorted(tests.items())) or "no tests"
