"""A checkout of its own with a stack of its own: made in a temporary folder, gone at the end.

Processes are told apart by the path of their checkout. Here everything runs from a copy of the tree, with
other folders, ports and settings than a person's, so that nothing of that person's is seen or touched.
"""

from __future__ import annotations

import json
import random
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.accept import processes
from infra.accept.processes import Done
from infra.model.addresses import LOOPBACK
from infra.model.errors import CannotTell
from infra.model.naming import checkout_id
from infra.store.proof_key import ProofKey
from infra.targets.process.bearers import Marks
from infra.targets.process.processes import mains
from infra.workspace.folders import folders

if TYPE_CHECKING:
    import psutil

    from infra.model.service import Project
    from infra.model.settings import Settings

MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of our own is made there, 0700
LEFT_OUT = {"__pycache__", "node_modules", ".venv", ".git"}
NOT_NEEDED = {"tests", "build", "site", "invoke.local.yaml"}
DOMAINS = {"internal_domain": "platform.test", "app_domain": "people.test"}
ENDS_WITHIN = 180.0
TRIES = 2
PORTS = range(10_000, 22_000)  # below those that a system gives to outgoing connections


class Throwaway:
    """A copy of a checkout in which any command may run; `start` makes its stack serve."""

    def __init__(self, root: Path, project: Project, environment: str, settings: Settings, path: str) -> None:
        self.project, self.environment = project, environment
        self._original, self._settings, self._path = root, settings, path
        self.folder = Path(tempfile.mkdtemp(prefix="accept-"))
        self.folder.chmod(0o711)  # PostgreSQL's own user has to pass
        self.memory = Path(tempfile.mkdtemp(prefix="accept-", dir=MEMORY if MEMORY.is_dir() else self.folder))
        for name in ("home", "state", "tmp"):
            (self.folder / name).mkdir()
            (self.folder / name).chmod(0o711)
        self._failure = CannotTell("the throw-away stack was not started")
        self._tries_left, self._is_up = TRIES, False

    @cached_property
    def root(self) -> Path:
        """The copy of the tree, with settings of its own."""
        return self.another("checkout")

    def another(self, name: str) -> Path:
        """Give one more copy of the tree under this name, with settings of its own; nothing runs there."""
        copy = self.folder / name
        shutil.copytree(self._original, copy, ignore=self._ignored, symlinks=True)
        copy.chmod(0o755)
        self.settle(copy)
        return copy

    def settle(self, checkout: Path) -> None:
        """Give a checkout settings of its own: no port of it is used here."""
        own = {"ports": _free_ports(self.project), "process": asdict(self._settings.process), **DOMAINS}
        (checkout / "invoke.yaml").write_text(json.dumps(own, indent=2), encoding="utf-8")

    def _ignored(self, folder: str, names: list[str]) -> set[str]:
        """Give what no command needs; at the top also what is hidden, tests, and what was made."""
        if Path(folder) != self._original:
            return LEFT_OUT & set(names)
        return (LEFT_OUT | NOT_NEEDED) & set(names) | {name for name in names if name.startswith(".")}

    @property
    def variables(self) -> dict[str, str]:
        """The variables of everything that is started here."""
        below = {
            "HOME": "home",
            "TMPDIR": "tmp",
            "XDG_STATE_HOME": "state",
            "XDG_DATA_HOME": "share",
            "XDG_CACHE_HOME": "cache",
        }
        own = {name: str(self.folder / folder) for name, folder in below.items()}
        return {**own, "PATH": self._path, "LANG": "C.UTF-8", "XDG_RUNTIME_DIR": str(self.memory)}

    def inv(self, words: str, *, stdin: str = "", **variables: str) -> Done:
        """Give how a command line ended, the same that a person types after `./inv`, with more variables."""
        return self.inv_in(self.root, words, stdin=stdin, **variables)

    def inv_in(self, checkout: Path, words: str, *, stdin: str = "", **variables: str) -> Done:
        """Give how a command line ended in another checkout that was made here."""
        argv = [sys.executable, "-m", "invoke", *words.split()]
        given = {**self.variables, **variables}
        return processes.run(argv, words, checkout, given, stdin=stdin, within=ENDS_WITHIN)

    def start(self) -> None:
        """Make the stack serve, if it does not; CannotTell says each time why it does not start."""
        if self._tries_left == 0 and not self._is_up:
            raise self._failure
        if not self._is_up:
            self.repair()

    def repair(self) -> None:
        """Make the stack serve again after something was done to it; CannotTell when it does not."""
        self._is_up = False
        done = self.inv(self.of_project("setup --json"))
        if done.code != 0:
            errors = done.json.get("errors") or [{"message": done.err.strip()[-300:]}]
            self._failure = CannotTell(f"the throw-away stack does not start: {errors[0]['message']}")
            self._tries_left -= 1
            raise self._failure
        self._is_up, self._tries_left = True, TRIES

    def of_project(self, task: str) -> str:
        """Give the words of a task of the project in this environment."""
        return f"{self.project.name}.{task} --env {self.environment} --target process"

    @property
    def url(self) -> str:
        """The address that people would open."""
        return f"http://{LOOPBACK}:{self.ports['router']}"

    @property
    def ports(self) -> dict[str, int]:
        """The port of each unit."""
        settings: dict[str, Any] = json.loads((self.root / "invoke.yaml").read_text(encoding="utf-8"))
        return dict(settings["ports"])

    @property
    def units(self) -> dict[str, list[psutil.Process]]:
        """The main processes of each unit, read off what lives."""
        return self.mains(self.root, self.environment)

    def mains(self, checkout: Path, environment: str) -> dict[str, list[psutil.Process]]:
        """Give the main processes of each unit of an environment of a checkout that was made here."""
        identity = checkout_id(checkout.resolve())
        key = folders(self.project.name, identity, self.variables, self.folder).proof_key
        found = mains(Marks(identity, environment, ProofKey(key)))
        return {name: [process for process, _ in many] for name, many in found.items()}

    @contextmanager
    def settings(self, **more: Any) -> Iterator[None]:
        """Add settings for as long as the body runs."""
        file = self.root / "invoke.local.yaml"
        file.write_text(json.dumps(more), encoding="utf-8")
        try:
            yield
        finally:
            file.unlink()

    def close(self) -> None:
        """End and remove everything; a second Ctrl+C waits until that is done."""
        with _undisturbed():
            if "root" in vars(self) and self.units:
                self.inv(self.of_project("destroy --yes --json"))
            for place in (self.memory, self.folder):
                processes.kill_all_of(place)
            for place in (self.memory, self.folder):
                shutil.rmtree(place, ignore_errors=True)


def _free_ports(project: Project) -> Mapping[str, int]:
    """Give free ports for each part; held together, so that none comes twice."""
    found: dict[str, int] = {}
    with ExitStack() as held:
        for part in (part for service in project.services for part in service.parts):
            while not (chosen := _beside_each_other(part.ports, held)):
                pass
            found |= chosen
    return found


def _beside_each_other(declared: Mapping[str, int], held: ExitStack) -> Mapping[str, int]:
    """Give free ports as far apart as the declared ones, and hold them; none when one of them is taken."""
    first, *others = (held.enter_context(socket.socket()) for _ in declared)
    shift = random.choice(PORTS) - next(iter(declared.values()))  # noqa: S311  # no secret hangs on it
    chosen = {name: port + shift for name, port in declared.items()}
    try:
        for other, port in zip((first, *others), chosen.values(), strict=True):
            other.bind((LOOPBACK, port))
    except (OSError, OverflowError):
        return {}
    return chosen


@contextmanager
def _undisturbed() -> Iterator[None]:
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
