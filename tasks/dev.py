"""Development servers: what is saved is served, behind the same address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import finance_report
from tasks.command import command

if TYPE_CHECKING:
    from infra.invocation import Command


@command("dev.infra", changes=True)
def infra(this: Command, target: str = "") -> None:
    """Start what is missing of database, cache, object store and router, and print their addresses."""
    from infra.dev import stores

    stores.start(this, finance_report.PROJECT, target)


@command("dev.backend", changes=True)
def backend(this: Command, target: str = "") -> None:
    """Run the backend from the checkout with hot reload; --target none: by itself, with mock providers."""
    from infra.dev import serve

    serve.serve(this, finance_report.PROJECT, "backend", target)


@command("dev.frontend", changes=True)
def frontend(this: Command, target: str = "") -> None:
    """Run the frontend from the checkout with hot reload, behind the router; --target none: by itself."""
    from infra.dev import serve

    serve.serve(this, finance_report.PROJECT, "frontend", target)


@command("dev.down", changes=True)
def down(this: Command) -> None:
    """End the development servers, and stop what was started for them; data stays."""
    from infra.dev import down as ending

    ending.down(this, finance_report.PROJECT)
