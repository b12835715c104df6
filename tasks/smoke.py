"""Whether what runs answers as it should."""

from __future__ import annotations

from typing import TYPE_CHECKING

import finance_report
from tasks.command import command

if TYPE_CHECKING:
    from infra.invocation import Command


@command("smoke", default=True)
def smoke(
    this: Command,
    env: str | None = None,
    target: str = "",
    base_url: str = "",
    profile: str = "",
    expected_sha: str = "",
    mode: str = "",
    min_checks: str = "",
    extended: bool = False,
    perf: bool = False,
    perf_limit: str = "",
    ca_file: str = "",
) -> None:
    """Ask a running stack what its profile lists; exit 1 when a check fails, 2 when nobody answers."""
    from infra import smoke as runner

    wishes = runner.Wishes(
        base_url=base_url,
        profile=profile,
        expected_sha=expected_sha,
        mode=mode,
        min_checks=min_checks,
        extended=extended,
        perf=perf,
        perf_limit=perf_limit,
        ca_file=ca_file,
    )
    runner.smoke(this, finance_report.PROJECT, env, target, wishes)


@command("smoke.self-test")
def self_test(this: Command) -> None:
    """Prove that each row of the profile can fail: a good server, and one broken twin a row."""
    from infra import smoke as runner

    runner.self_test(this, finance_report.PROJECT)
