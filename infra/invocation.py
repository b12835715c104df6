"""One run of one command, before it is known which environment it is about."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra.console import Console
from infra.model.redaction import Redactor
from infra.model.verdict import Outcome

if TYPE_CHECKING:
    from infra.model.service import Project
    from infra.session import Session


@dataclass(frozen=True, slots=True)
class Command:
    """Its outcome, its console, the redactor that both speak through, the checkout and the variables."""

    outcome: Outcome
    console: Console
    redactor: Redactor
    root: Path
    variables: dict[str, str]

    def session(self, project: Project, env: str, target: str = "", *, claim: bool = False) -> Session:
        """Open an environment of a project; with `claim` the ports of this checkout are chosen for good."""
        from infra.assembly import open_session

        return open_session(self, project, env, target, claim=claim)
