"""The tasks of a whole project: all its services, in the order of their needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from invoke.tasks import Task

from tasks.command import command, open_session

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.service import Project


def plan(project: Project) -> Task[Any]:
    """Give the task that shows what setup would do."""

    @command(f"{project.name}.plan")
    def plan(
        this: Command,
        env: str | None = None,
        target: str = "",
        release: str = "",
        from_source: bool = False,
        diff: bool = False,
    ) -> None:
        """Show what setup would change in all; exit 3 when something would, 2 when not all is read."""
        from infra import plans
        from infra.choices import Wishes

        plans.show(this, project, "", Wishes(env, target, release, from_source), diff=diff)

    return plan


def render(project: Project) -> Task[Any]:
    """Give the task that shows the texts of all services."""

    @command(f"{project.name}.render", lists=True)
    def render(
        this: Command,
        env: str | None = None,
        target: str = "",
        release: str = "",
        from_source: bool = False,
        out: str = "",
    ) -> None:
        """Render what the containers of all services would be sent: to the terminal, or below --out."""
        from infra import render as printing
        from infra.choices import Wishes

        printing.render(this, project, "", Wishes(env, target, release, from_source), out)

    return render


def setup(project: Project) -> Task[Any]:
    """Give the task that makes everything run."""

    @command(f"{project.name}.setup", changes=True)
    def setup(
        this: Command,
        env: str | None = None,
        target: str = "",
        force: bool = False,
        init: bool = False,
        no_rollback: bool = False,
        repair_derived: bool = False,
        lock_wait: int = 0,
        plan: str = "",
    ) -> None:
        """Make all services run, and prove it."""
        from infra import deploy
        from infra.session import Request

        session = open_session(this, project, env, target, claim=True)
        request = Request(
            session.service_names, force, init, no_rollback, repair_derived, lock_wait, plan=plan
        )
        deploy.setup(session, request)
        session.console.answer(session.address(request.services))

    return setup


def status(project: Project) -> Task[Any]:
    """Give the task that says whether everything works."""

    @command(f"{project.name}.status")
    def status(this: Command, env: str | None = None, target: str = "") -> None:
        """Say OK, FAIL or UNKNOWN for each unit of all services; writes nothing."""
        from infra import reports

        session = open_session(this, project, env, target, may_be_lost=True)
        reports.status(session, session.service_names)

    return status


def down(project: Project) -> Task[Any]:
    """Give the task that stops everything."""

    @command(f"{project.name}.down", changes=True)
    def down(this: Command, env: str | None = None, target: str = "", lock_wait: int = 0) -> None:
        """Stop all services, the last one first; data, secrets and records stay."""
        from infra import remove
        from infra.session import Request

        session = open_session(this, project, env, target, may_be_lost=True)
        remove.down(session, Request(session.service_names, lock_wait=lock_wait), unproven=True)

    return down


def destroy(project: Project) -> Task[Any]:
    """Give the task that removes everything."""

    @command(f"{project.name}.destroy", changes=True)
    def destroy(
        this: Command, env: str | None = None, target: str = "", yes: bool = False, lock_wait: int = 0
    ) -> None:
        """Remove processes, data, secrets and snapshots of this environment, after consent; records stay."""
        from infra import remove
        from infra.session import Request

        session = open_session(this, project, env, target, may_be_lost=True)
        remove.destroy(session, Request(session.service_names, lock_wait=lock_wait), yes=yes)

    return destroy


TASKS = (plan, render, setup, status, down, destroy)
