"""The tasks that every service has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from invoke.tasks import Task

from tasks.command import command, open_session

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.service import Project


def plan(project: Project, service: str) -> Task[Any]:
    """Give the task that shows what setup would do."""

    @command(f"{project.name}.{service}.plan")
    def plan(
        this: Command,
        env: str | None = None,
        target: str = "",
        release: str = "",
        from_source: bool = False,
        diff: bool = False,
    ) -> None:
        """Show what setup would change, and why; exit 3 when something would, 2 when not all is read."""
        from infra import plans
        from infra.choices import Wishes

        plans.show(this, project, service, Wishes(env, target, release, from_source), diff=diff)

    return plan


def render(project: Project, service: str) -> Task[Any]:
    """Give the task that shows the texts of a service."""

    @command(f"{project.name}.{service}.render", lists=True)
    def render(
        this: Command,
        env: str | None = None,
        target: str = "",
        release: str = "",
        from_source: bool = False,
        out: str = "",
    ) -> None:
        """Render what its containers would be sent: to the terminal, or below --out."""
        from infra import render as printing
        from infra.choices import Wishes

        printing.render(this, project, service, Wishes(env, target, release, from_source), out)

    return render


def setup(project: Project, service: str) -> Task[Any]:
    """Give the task that makes a service run."""

    @command(f"{project.name}.{service}.setup", changes=True)
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
        """Make it run, with what it needs, and prove it; nothing to do is an answer, too."""
        from infra import deploy
        from infra.session import Request

        request = Request((service,), force, init, no_rollback, repair_derived, lock_wait, plan=plan)
        session = open_session(this, project, env, target, service=service, claim=True)
        deploy.setup(session, request)
        session.console.answer(session.address(request.services))

    return setup


def rollback(project: Project, service: str) -> Task[Any]:
    """Give the task that puts an earlier release back."""

    @command(f"{project.name}.{service}.rollback", changes=True)
    def rollback(
        this: Command, env: str | None = None, target: str = "", to: str = "", lock_wait: int = 0
    ) -> None:
        """Put the last good release back, or the one that --to names by record or commit."""
        from infra import deploy
        from infra.session import Request

        session = open_session(this, project, env, target, service=service)
        deploy.rollback(session, Request((service,), lock_wait=lock_wait), to)

    return rollback


def status(project: Project, service: str) -> Task[Any]:
    """Give the task that says whether a service works."""

    @command(f"{project.name}.{service}.status")
    def status(this: Command, env: str | None = None, target: str = "") -> None:
        """Say OK, FAIL or UNKNOWN for each of its units, by a real login; writes nothing."""
        from infra import reports

        session = open_session(this, project, env, target, service=service, may_be_lost=True)
        reports.status(session, (service,))

    return status


def logs(project: Project, service: str) -> Task[Any]:
    """Give the task that shows output."""

    @command(f"{project.name}.{service}.logs", lists=True)
    def logs(
        this: Command,
        env: str | None = None,
        target: str = "",
        tail: int = 50,
        container: str = "",
        follow: bool = False,
    ) -> None:
        """Show the last lines of its output, redacted, each with the unit that wrote it."""
        from infra import reports

        session = open_session(this, project, env, target, service=service, may_be_lost=True)
        reports.logs(session, service, tail, container, follow=follow)

    return logs


def checkpoints(project: Project, service: str) -> Task[Any]:
    """Give the task that shows how far the start came."""

    @command(f"{project.name}.{service}.checkpoints")
    def checkpoints(this: Command, env: str | None = None, target: str = "") -> None:
        """Show the furthest state of each checkpoint of what runs now."""
        from infra import reports

        reports.checkpoints(open_session(this, project, env, target, service=service), service)

    return checkpoints


def history(project: Project, service: str) -> Task[Any]:
    """Give the task that lists records."""

    @command(f"{project.name}.{service}.history", lists=True)
    def history(this: Command, env: str | None = None, target: str = "", limit: int = 10) -> None:
        """List what was deployed, the newest first: id, verdict, actor, release, error."""
        from infra import reports

        reports.history(open_session(this, project, env, target, service=service), service, limit)

    return history


TASKS = (plan, render, setup, status, logs, checkpoints, history, rollback)
