"""The migrated template: made once for each state of the migrations, shared by all runs on a server."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256

from infra.model.clock import iso
from infra.model.database_mark import Mark
from infra.model.errors import InfraError
from infra.model.safety import Permit
from infra.plan.orphans import Rules, decide, template_name
from infra.testing.application import Application
from infra.testing.databases import Databases

PLAIN = "template1"


def ensure(databases: Databases, application: Application, variables: Mapping[str, str]) -> bool:
    """Set the template that this run copies; true when it had to be made, with the migrations run once.

    Nobody can be connected to a template, so that any number of runs copy it at once. Runs that need the
    same one at the same moment wait for the one that makes it.
    """
    ground, server = databases.ground, databases.server
    digest = sha256(f"{application.schema} {ground.servers.role}".encode()).hexdigest()
    databases.template = name = template_name(ground.names, digest)
    if server.comments([name]):
        return False
    with server.alone(name):
        if server.comments([name]):
            return False
        beside = databases.beside(name)
        server.create(beside, owner=ground.servers.role, template=PLAIN)
        application.migrate({**variables, "DATABASE_URL": databases.address(beside).reveal()})
        server.seal(beside, name, str(Mark("template", digest[:12], iso(server.now()))))
    with suppress(InfraError):
        _drop_old(databases)
    return True


def _drop_old(databases: Databases) -> None:
    names, server = databases.ground.names, databases.server
    rules = Rules(living=(), grace=0, now=server.now())
    found = decide(names, server.rows(f"{names.project}_template_"), rules)
    leave = Permit(frozenset(one.database for one in found if one.is_drop))
    for database in leave.databases:
        server.drop(leave, database, force=False)
