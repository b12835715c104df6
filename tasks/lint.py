"""Whether what would be sent keeps the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import finance_report
from tasks.command import command

if TYPE_CHECKING:
    from infra.invocation import Command


@command("lint.compose")
def compose(
    this: Command,
    env: str | None = None,
    all: bool = False,  # noqa: A002  # what people type
    service: str = "",
    file: str = "",
    release: str = "",
    from_source: bool = False,
) -> None:
    """Check compose files as rendered, or --file; exit 1 when a rule is broken, 2 when nobody can tell."""
    from infra import lint
    from infra.choices import Wishes

    texts = lint.Texts(Wishes(env, "", release, from_source), every=all, service=service, file=file)
    lint.compose(this, finance_report.PROJECT, texts)
