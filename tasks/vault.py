"""Secrets of deployed environments, and the agents that bring them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import finance_report
from tasks.command import command

if TYPE_CHECKING:
    from infra.invocation import Command


@command("vault.render")
def render(this: Command, env: str | None = None, service: str = "", offline: bool = False) -> None:
    """Show what a service's agent will write, from made-up values: key names, kinds and sizes."""
    from infra import vault_render

    vault_render.render(this, finance_report.PROJECT, env, service, offline=offline)
