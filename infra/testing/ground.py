"""What one test run stands on: its names, its servers, its application, and the leave to drop."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from infra.choices import let_through
from infra.model import urls
from infra.model.addresses import LOOPBACK
from infra.model.environments import choose, environment
from infra.model.naming import Names, get_s3_bucket
from infra.model.passed import Passed
from infra.model.runner import Identity
from infra.model.safety import REQUIRED, Aim, Permit, databases_of, require_safe
from infra.model.secret import Secret
from infra.testing.application import Application, application
from infra.testing.register import Register
from infra.testing.server import Server
from infra.testing.servers import Servers, servers
from infra.workspace import settings_file
from infra.workspace.folders import application_checkout
from infra.workspace.identity import identity

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.service import Project

DEFAULT = "local_ci"


@dataclass(frozen=True, slots=True)
class Ground:
    """Everything that is known before anything is started; nothing here changes during a run."""

    this: Command
    project: Project
    environment: str
    identity: Identity
    namespace: str | None
    servers: Servers
    register: Register
    source: Path
    passed: Passed
    run: str = field(default_factory=lambda: secrets.token_hex(6))

    @property
    def names(self) -> Names:
        """The naming functions of the project."""
        return Names(self.project.name)

    @property
    def database(self) -> str:
        """The main test database."""
        return self.names.get_test_db_name(self.namespace)

    @property
    def bucket(self) -> str:
        """The bucket of this run."""
        return get_s3_bucket(self.namespace)

    def application(self) -> Application:
        """Give the backend whose tests run."""
        return application(self.source, self.this.variables)

    def leave(self, server: Server) -> Permit:
        """Give the leave to drop this namespace's databases; Refused says which layer forbids it."""
        aim = _aim(self.this, self.environment, self.names, self.namespace, self.servers.port)
        return require_safe(replace(aim, comments=server.comments(databases_of(self.names, self.namespace))))

    def url(self, server: Server, password: Secret, database: str) -> Secret:
        """Give the address of a database for the application's role."""
        return Secret(
            urls.database_url(self.servers.role, password.reveal(), server.host, server.port, database)
        )


def ground(this: Command, project: Project, env: str | None, *, claim: bool = False) -> Ground:
    """Give the ground of a run; Refused when a safety layer says no before anything starts.

    With `claim` the servers' ports are chosen for good. BadInput for a branch or workspace without a name.
    """
    found = environment(choose(env, this.variables.get("DEPLOY_ENV"), DEFAULT))
    this.outcome.env = found.name
    source = (this.root / settings_file.load(this.root).app.source).resolve()
    mine = identity(application_checkout(this.root, source), this.variables)
    namespace = mine.namespace if found.namespaced != "never" else None
    require_safe(_aim(this, found.name, Names(project.name), namespace))
    return Ground(
        this=this,
        project=project,
        environment=found.name,
        identity=mine,
        namespace=namespace,
        servers=servers(this, project, found.name, claim=claim),
        register=Register(project.name, this.variables),
        source=source,
        passed=let_through(this, project),
    )


def _aim(
    this: Command, environment: str, names: Names, namespace: str | None, port: int | None = None
) -> Aim:
    """Give what the layers look at: a person's own variables count where they are set."""
    variables = {**REQUIRED, **this.variables}
    mine = f"postgresql://{LOOPBACK}:{port or 5432}/{names.get_test_db_name(namespace)}"
    return Aim(environment, variables, variables.get("DATABASE_URL") or mine, names, namespace, port)
