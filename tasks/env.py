"""What an environment is, and whether everybody means the same keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import finance_report
from tasks.command import command

if TYPE_CHECKING:
    from infra.invocation import Command


@command("env.show", lists=True)
def show(this: Command, env: str | None = None, target: str = "", release: str = "") -> None:
    """Show every name, host, path and limit of an environment, and where each comes from."""
    from infra import env_show
    from infra.choices import Wishes

    env_show.show(this, finance_report.PROJECT, Wishes(env, target, release))


@command("env.check-keys")
def check_keys(
    this: Command,
    diff: bool = False,
    fix: bool = False,
    live: bool = False,
    env: str | None = None,
    app_dir: str = "",
) -> None:
    """Compare template, settings, example, Dockerfile and declared secrets; --fix prints what mends."""
    from infra import check_keys as keys

    keys.check(this, finance_report.PROJECT, env, diff=diff, fix=fix, live=live, app_dir=app_dir)
