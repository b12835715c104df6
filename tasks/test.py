"""Tests: this repository's own, and those of the application in databases of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.collection import Collection

import finance_report
from tasks import house
from tasks.command import command

if TYPE_CHECKING:
    from infra.invocation import Command


@command("test.run", changes=True)
def run(
    this: Command,
    env: str | None = None,
    args: str = "",
    workers: int = 0,
    keep: bool = False,
    fast: bool = False,
    with_: str = "",
) -> None:
    """Run the application's tests in a database of their own, with s3 in a bucket; --args goes to pytest."""
    from infra.testing import run as runner
    from infra.testing.command import Wishes

    runner.run(this, finance_report.PROJECT, Wishes(env, args, workers, keep, fast, with_))


@command("test.names", lists=True)
def names(this: Command, env: str | None = None) -> None:
    """Show the names that keep this checkout's tests apart from all others; starts nothing."""
    from infra.testing import names as printing

    printing.names(this, finance_report.PROJECT, env)


@command("test.status", lists=True)
def status(this: Command) -> None:
    """List the test runs that live on this machine."""
    from infra.testing import names as printing

    printing.status(this, finance_report.PROJECT)


@command("test.e2e")
def e2e(this: Command, env: str | None = None, base_url: str = "", args: str = "") -> None:
    """Run the application's browser tests against an environment; --args goes to pytest as it is."""
    from infra import e2e as suite

    suite.run(this, finance_report.PROJECT, env, base_url, args)


ns = Collection("test", run, names, status, e2e)
ns.add_task(house.test, default=True)
