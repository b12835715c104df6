"""What checks stand on: the checkout, its project, and a throw-away checkout to try things in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from infra.accept.processes import Done
from infra.accept.throwaway import Throwaway
from infra.model.acceptance import STACK, Evidence

if TYPE_CHECKING:
    from infra.accept.rehearsal import Rehearsal
    from infra.model.service import Project


class Disproved(Exception):
    """A check saw something else than was promised; its words say what."""


class NotHere(Exception):
    """A check could not be made; its words say what is missing."""


@dataclass(frozen=True, slots=True)
class Ground:
    """The checkout that is looked at, its project, and where things are tried.

    `application` is the application's own checkout where one was named, `branch` the one of releases,
    `cache` where the person keeps what was built once, `beside_vault` a rehearsal with a Vault of its own,
    `variables` those of the caller.
    """

    root: Path
    project: Project
    trial: Throwaway
    branch: str
    cache: Path
    application: Path | None = None
    beside_vault: Rehearsal | None = None
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def stack(self) -> Throwaway:
        """The throw-away stack, serving; CannotTell says why it does not start."""
        self.trial.start()
        return self.trial

    @property
    def rehearsal(self) -> Rehearsal:
        """The throw-away rehearsal beside a real Vault; it is made when it is first asked something."""
        if self.beside_vault is None:
            raise NotHere("no rehearsal was prepared")
        return self.beside_vault


def require(condition: object, seen: str) -> None:
    """Stop the check with what was seen, unless the condition holds."""
    if not condition:
        raise Disproved(seen)


def exits(done: Done, code: int = 0) -> Done:
    """Give the command back when it ended with this code, else stop the check with what it said."""
    said = " ".join(done.err.strip().splitlines()[-3:])[-300:]
    require(done.code == code, f"{done} instead of {code}: {said}")
    return done


def on_stack(text: str) -> Evidence:
    """Give good evidence that was seen on the running stack."""
    return Evidence("ok", text, STACK)


def on_files(text: str) -> Evidence:
    """Give good evidence for which no server was needed."""
    return Evidence("ok", text)
