"""Secrets of deployed environments, and the agents that bring them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import finance_report
from tasks.command import command, open_session

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.service import Project


@command("vault.render")
def render(
    this: Command,
    env: str | None = None,
    service: str = "",
    offline: bool = False,
    target: str = "",
) -> None:
    """Show the keys that a service's agent writes: from the real values, or --offline from made-up ones."""
    from infra import vault_render

    vault_render.render(this, finance_report.PROJECT, env, service, target, offline=offline)


@command("vault.setup-tokens", changes=True)
def setup_tokens(
    this: Command,
    project: str = finance_report.PROJECT.name,
    env: str | None = None,
    service: str = "",
    target: str = "",
    due: bool = False,
    strict: bool = False,
    revoke: bool = False,
    wrap_ttl: int = 900,
    dry_run: bool = False,
    yes: bool = False,
) -> None:
    """Give each agent that lacks one a credential that works; a --service that is named gets a new one."""
    from infra.vault import setup_tokens as tokens
    from infra.vault.turn import Wish

    wish = Wish(service, due, revoke, wrap_ttl, dry_run, yes)
    tokens.setup_tokens(this, _project(project), env, target, wish, strict=strict)


@command("vault.status")
def status(this: Command, env: str | None = None, target: str = "") -> None:
    """Show the server and how long credentials last; exit 1 for an alarm, 2 when nobody answers."""
    from infra.vault import scope
    from infra.vault import status as standing

    standing.show(this, scope.custodies(this, finance_report.PROJECT, env, target))


@command("vault.audit-enable", changes=True)
def audit_enable(this: Command, env: str | None = None, target: str = "", path: str = "") -> None:
    """Have the server write each request to a file, values hashed, and prove it by an entry of our own."""
    from infra.vault import audit, scope

    found = scope.custodies(this, finance_report.PROJECT, env, target)
    for custody in {one.client.address: one for one in found}.values():
        audit.enable(this, custody, path)


def _project(name: str) -> Project:
    """Give the project of a name; BadInput for any other than the one that is here."""
    from infra.model.errors import BadInput

    if name != finance_report.PROJECT.name:
        known = finance_report.PROJECT.name
        raise BadInput(f"--project: {name!r} is not here; {known} is", next_step=f"--project={known}")
    return finance_report.PROJECT


@command("vault.dev")
def dev(this: Command, env: str | None = None) -> None:
    """Run a throw-away Vault for rehearsals of an environment, until Ctrl+C ends it and all that it holds."""
    from infra.vault import dev as server

    server.serve(this, finance_report.PROJECT, env)


@command("vault.keys", lists=True)
def keys(this: Command, env: str | None = None, target: str = "") -> None:
    """Show keys: kind, version, age, who runs on an old value; exit 1 when a required one is missing."""
    from infra.vault import keys as listing
    from infra.vault.desk import open_desk

    listing.show(open_desk(this, finance_report.PROJECT, env, target))


@command("vault.put", changes=True)
def put(
    this: Command,
    env: str | None = None,
    service: str = "",
    key: str = "",
    target: str = "",
    yes: bool = False,
    as_is: bool = False,
) -> None:
    """Put one operator key; its value is asked for, or comes on stdin, and is never an argument."""
    from infra.vault import put as putting
    from infra.vault.desk import open_desk

    putting.put(open_desk(this, finance_report.PROJECT, env, target), service, key, yes=yes, as_is=as_is)


@command("vault.rotate", changes=True)
def rotate(
    this: Command,
    env: str | None = None,
    service: str = "",
    key: str = "",
    target: str = "",
    dry_run: bool = False,
    yes: bool = False,
    lock_wait: int = 0,
) -> None:
    """Give a service's generated keys new values, redeploy who reads them, and see the old ones refused."""
    from infra.vault import rotate as rotation

    session = open_session(this, finance_report.PROJECT, env, target)
    rotation.rotate(session, service, key, rotation.Wishes(dry_run, yes, lock_wait))


@command("vault.check")
def check(this: Command, env: str | None = None, target: str = "") -> None:
    """Audit secrets in thirteen rows and change nothing; exit 1 for a fail, 2 where something is unread."""
    from infra.vault import check as audit
    from infra.vault.desk import open_desk

    audit.check(open_desk(this, finance_report.PROJECT, env, target))
