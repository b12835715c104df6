"""Sessions with the stores. Credentials never stand in an argument."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from invoke.tasks import Task

from tasks.command import command, open_session

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.service import Project


def postgres(project: Project) -> Task[Any]:
    """Give the task that opens psql."""

    @command(f"{project.name}.postgres.shell")
    def shell(this: Command, env: str | None = None, target: str = "", superuser: bool = False) -> None:
        """Open psql as the application's role, or as the superuser; statements may come on stdin."""
        from infra import shells

        shells.postgres(open_session(this, project, env, target), this.variables, superuser=superuser)

    return shell


def redis(project: Project) -> Task[Any]:
    """Give the task that opens a session with the cache."""

    @command(f"{project.name}.redis.shell")
    def shell(this: Command, env: str | None = None, target: str = "") -> None:
        """Talk to the cache, a command a line; end with Ctrl+D. Commands may come on stdin."""
        from infra import shells

        shells.redis(open_session(this, project, env, target))

    return shell
