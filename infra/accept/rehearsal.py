"""A rehearsal beside a real Vault, as a person has it in two windows: made once, for all rows that ask it."""

from __future__ import annotations

import subprocess
import sys
import time
from functools import cached_property
from pathlib import Path
from secrets import token_urlsafe
from threading import Lock
from typing import TYPE_CHECKING

from infra.accept import processes
from infra.model.errors import CannotTell, KnownBad
from infra.workspace.vault_program import vault_program

if TYPE_CHECKING:
    import psutil

    from infra.accept.processes import Done
    from infra.accept.throwaway import Throwaway

ENVIRONMENT = "pr_47"  # a preview has an object store of its own, and so every key
OPERATORS_KEY = "--service app --key OPENROUTER_API_KEY"
OPEN_WITHIN = 60.0
COULD_NOT_START = 2
READY = "in another window:"


class Rehearsal:
    """A preview as processes whose agents bring every secret from a throw-away Vault of its own."""

    def __init__(self, trial: Throwaway, cache: Path) -> None:
        self._trial, self._cache = trial, cache
        self._window: subprocess.Popen[bytes] | None = None
        self._failure: Exception | None = None
        self._answers: dict[str, Done] = {}
        self._making = Lock()

    @cached_property
    def _root(self) -> Path:
        """A checkout of its own, with ports of its own."""
        return self._trial.another("rehearsed")

    def asked(self, task: str) -> Done:
        """Give how a task that only reads ended there; it is run once, on a rehearsal that is made first."""
        self._start()
        if task not in self._answers:
            self._answers[task] = self._inv(f"{task} --json")
        return self._answers[task]

    def changed(self, task: str) -> Done:
        """Give how a task ended that changes what others read; they are asked anew after it."""
        self._start()
        self._answers.clear()
        return self._inv(f"{task} --json")

    def unit(self, name: str) -> psutil.Process:
        """Give the main process of a unit, read off what lives; CannotTell when it does not run."""
        self._start()
        found = self._trial.mains(self._root, ENVIRONMENT).get(name)
        if not found:
            raise CannotTell(f"{name} does not run in {ENVIRONMENT}")
        return found[0]

    @property
    def url(self) -> str:
        """The address that people would open."""
        self._start()
        done = _good(self._inv(f"{self._trial.project.name}.setup"))
        return done.out.split()[-1]

    def close(self) -> None:
        """End what runs and the Vault with it; a repeat is safe."""
        if self._window is not None:
            self._inv(f"{self._trial.project.name}.destroy --yes --json")
            processes.end(self._window)
            self._window = None

    def _start(self) -> None:
        """Make it, if it is not there; a failure is told again each time, and not tried again."""
        with self._making:
            if self._failure is not None:
                raise self._failure
            if self._window is None:
                self._make()

    def _make(self) -> None:
        try:
            self._open()
            _good(self._inv(f"vault.put {OPERATORS_KEY} --json", stdin=token_urlsafe(24)))
            self._bring_up()
        except Exception as error:
            self._failure = error
            raise

    def _bring_up(self) -> None:
        """Give each agent its credential, which starts everything; a port that got lost is chosen anew."""
        words = f"vault.setup-tokens --project={self._trial.project.name} --json"
        done = self._inv(words)
        if done.code == COULD_NOT_START:
            self._inv(f"{self._trial.project.name}.down --json")
            self._trial.settle(self._root)
            done = self._inv(words)
        if done.code == COULD_NOT_START:
            raise CannotTell(_told(done))
        _good(done)

    def _inv(self, words: str, *, stdin: str = "") -> Done:
        task, *options = words.split(maxsplit=1)
        where = f"--env {ENVIRONMENT} --target process"
        return self._trial.inv_in(self._root, " ".join([task, *options, where]), stdin=stdin)

    def _open(self) -> None:
        """Run `vault.dev` in a window of its own until the rehearsal is closed."""
        given = self._trial.variables
        vault_program(self._root, {**given, "XDG_CACHE_HOME": str(self._cache)})
        log = self._trial.folder / "vault-dev.log"
        with log.open("wb") as output:
            self._window = subprocess.Popen(
                [sys.executable, "-m", "invoke", "vault.dev", "--env", ENVIRONMENT],
                cwd=self._root,
                env={**given, "XDG_CACHE_HOME": str(self._cache)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + OPEN_WITHIN
        while READY not in log.read_text(encoding="utf-8"):
            if self._window.poll() is not None or time.monotonic() > deadline:
                last = log.read_text(encoding="utf-8").strip().splitlines()[-1:]
                raise CannotTell(f"vault.dev did not open: {' '.join(last)}")
            time.sleep(0.02)


def _good(done: Done) -> Done:
    """Give the command back when it ended well; else KnownBad with what it said."""
    if done.code != 0:
        raise KnownBad(_told(done))
    return done


def _told(done: Done) -> str:
    return f"{done}: {' '.join(done.err.split())[-200:]}"
