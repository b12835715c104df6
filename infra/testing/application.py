"""The application's backend as tests see it: its folder, its interpreter, its migrations."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib import util
from pathlib import Path

from infra.model.errors import BadInput, CannotTell, MissingProgram
from infra.model.variables import seen_by
from infra.targets.process import programs, tree

FOLDER = "apps/backend"
MIGRATES_WITHIN = 600
_INSTALLED = "import importlib.util as it, sys; print(*[one for one in sys.argv[1:] if it.find_spec(one)])"


@dataclass(frozen=True, slots=True)
class Application:
    """The backend of one application's checkout, and the interpreter that has what it needs.

    `variables` are its caller's, of which it sees what an application may.
    """

    source: Path
    python: str
    variables: Mapping[str, str]

    @property
    def folder(self) -> Path:
        """Where its tests run."""
        return self.source / FOLDER

    @property
    def schema(self) -> str:
        """A digest over what makes the schema: the migrations, and how they are run."""
        migrations = tree.digest(self.source, [f"{FOLDER}/migrations"])
        settings = (self.folder / "alembic.ini").read_bytes()
        return sha256(migrations.encode() + b"\0" + settings).hexdigest()

    @property
    def release(self) -> str:
        """The 40 hex digits of the backend's tree as it stands."""
        return tree.digest(self.source, [FOLDER])

    def installed(self, *modules: str) -> frozenset[str]:
        """Give which of these modules its interpreter can import."""
        if self.python == sys.executable:
            return frozenset(name for name in modules if util.find_spec(name))
        done = subprocess.run(
            [self.python, "-c", _INSTALLED, *modules],
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env=seen_by("application", self.variables),
        )
        if done.returncode:
            raise MissingProgram(f"{self.python} does not run", evidence=tuple(done.stderr.splitlines()[-3:]))
        return frozenset(done.stdout.split())

    def migrate(self, variables: Mapping[str, str]) -> None:
        """Bring the database of DATABASE_URL to the newest migration; CannotTell shows what alembic said."""
        done = subprocess.run(
            [self.python, "-m", "alembic", "upgrade", "head"],
            check=False,
            cwd=self.folder,
            env=dict(variables),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=MIGRATES_WITHIN,
        )
        if done.returncode:
            raise CannotTell(
                "the migrations of the test database failed",
                next_step=f"cd {self.folder} && {self.python} -m alembic history",
                evidence=tuple(done.stderr.strip().splitlines()[-12:]),
            )


def application(source: Path, variables: Mapping[str, str]) -> Application:
    """Give the application of a checkout; BadInput where it has no backend with migrations.

    Its own `.venv` runs it where it has one, else the interpreter that runs us.
    """
    folder = source / FOLDER
    if not (folder / "alembic.ini").is_file() or not (folder / "migrations").is_dir():
        raise BadInput(
            f"{folder} has no alembic.ini and migrations",
            next_step="set app.source in invoke.local.yaml to the application's checkout",
        )
    return Application(source, programs.python_in(folder), variables)
