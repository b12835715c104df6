"""The names that keep a checkout's tests apart, and who runs tests now."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from infra.model.addresses import LOOPBACK
from infra.model.errors import CannotTell
from infra.model.observed import Unknown
from infra.testing.attendance import shown
from infra.testing.ground import Ground, ground
from infra.testing.register import Register

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.service import Project


def names(this: Command, project: Project, env: str | None) -> None:
    """Print the namespace of this checkout and every name that is made from it; nothing is started."""
    place = ground(this, project, env)
    known = _known(place)
    show(place)
    this.console.table(list(known.items()))


def show(place: Ground) -> None:
    """Print namespace and database of a run, and warn where nothing but the folder tells it apart."""
    console, identity = place.this.console, place.identity
    if identity.is_fallback and place.namespace:
        has_git = shutil.which("git", path=place.this.variables.get("PATH"))
        why = "no branch is known" if has_git else "git is not on PATH, so no branch is known"
        console.line(f"! {why}: the namespace comes from the folder alone")
    for line in place.passed.words:
        console.line(line)
    place.this.outcome.facts |= _known(place)
    console.line(
        f"namespace {place.namespace or '(none)'}, database {place.database}, port {place.servers.port}"
    )


def _known(place: Ground) -> dict[str, str]:
    get_worker = place.names.get_worker_db_name
    return {
        "environment": place.environment,
        "namespace": place.namespace or "",
        "database": place.database,
        "worker_databases": f"{get_worker(place.namespace, 'gw0')} to {get_worker(place.namespace, 'gw99')}",
        "bucket": place.bucket,
        "postgres": f"{LOOPBACK}:{place.servers.port}",
        "root": place.identity.root,
    }


def status(this: Command, project: Project) -> None:
    """Print the test runs that live on this machine; CannotTell when the list cannot be read."""
    register = Register(project.name, this.variables)
    seen = register.read()
    if isinstance(seen, Unknown):
        raise CannotTell(f"the runner list cannot be read: {seen.cause}", next_step=register.mending)
    runners = shown(seen.fact)
    this.console.table([(one.namespace, f"pid {one.pid}", one.created, one.root) for one in runners])
    this.outcome.facts["runners"] = [
        {"pid": one.pid, "namespace": one.namespace, "created": one.created, "root": one.root}
        for one in runners
    ]
    if not runners:
        this.console.line("no tests run")
