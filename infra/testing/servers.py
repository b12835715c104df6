"""The servers that test runs use: those of the environment local, or the services of a CI job."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from infra import assembly, deploy, embedded_store, remove
from infra.embedded_store import UNIT
from infra.model.addresses import LOOPBACK
from infra.model.errors import BadInput, Refused, Unreachable
from infra.model.safety import LOCAL_HOSTS
from infra.model.secret import Secret
from infra.model.verdict import Outcome
from infra.session import Request, Session
from infra.targets.object_store import ObjectStore
from infra.targets.process import processes
from infra.testing.cache import Cache
from infra.testing.server import Server

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.service import Project

STORES = ("postgres", "redis")
JOB_SECRETS = ("POSTGRES_PASSWORD", "S3_ACCESS_KEY", "S3_SECRET_KEY")
LEASE_WAIT = 60.0


@dataclass(frozen=True, slots=True)
class Servers:
    """A database server and a cache. `session` is the environment they belong to, None for a CI job's."""

    name: str
    role: str
    session: Session | None
    variables: Mapping[str, str]

    @property
    def port(self) -> int:
        """Where PostgreSQL listens."""
        if self.session:
            return self.session.places.ports["postgres"]
        said = self.variables.get("CI_DB_PORT") or "5432"
        if not said.isdigit():
            raise BadInput(f"CI_DB_PORT is {said!r}, a port is expected", next_step="unset CI_DB_PORT")
        return int(said)

    def start(self, note: Callable[[Mapping[str, str]], None], names: tuple[str, ...] = STORES) -> None:
        """Start which of these does not run, through the engine; `note` gets each started unit's identity.

        It is told also when the start fails half-way or is ended by a signal.
        """
        missing = [name for name in names if name not in self.living()] if self.session else []
        if not missing or not self.session:
            return
        try:
            deploy.setup(self.session, Request(tuple(missing), lock_wait=LEASE_WAIT))
        finally:
            now = self.living()
            note({name: now[name] for name in missing if name in now})
        if self.session.outcome.errors:
            raise Unreachable(
                f"{' and '.join(missing)} of local did not start",
                next_step=self.session.say(f"{missing[0]}.setup"),
            )

    def stop(self, started: Mapping[str, str]) -> str:
        """Stop what was started for test runs, where nothing else runs by now; give what was left alone."""
        living = self.living()
        if not self.session or not living:
            return ""
        if dict(started) != living:
            return "others use the servers by now: they stay"
        remove.down(self.session, Request(STORES, lock_wait=LEASE_WAIT))
        return ""

    def living(self) -> dict[str, str]:
        """Give the identity of each unit of the environment that runs."""
        if not self.session:
            return {}
        found = processes.mains(self.session.target.marks)
        return {name: many[0][1].identity for name, many in found.items()}

    def database(self) -> Server:
        """Give the database server with the login that makes databases; Unreachable before a first setup."""
        if self.session is None:
            user = self.variables.get("POSTGRES_USER") or "postgres"
            password = Secret(self.variables.get("POSTGRES_PASSWORD", ""))
            return Server(_job_host(self.variables), self.port, user, password)
        password = _key(self.session, "postgres", "POSTGRES_PASSWORD")
        return Server(LOOPBACK, self.port, "postgres", password, self.session.commands)

    def application_password(self, server: Server) -> Secret:
        """Give the password of the application's role; a CI job's server gets the role first."""
        if self.session:
            return _key(self.session, "postgres", "APP_PASSWORD")
        password = Secret(secrets.token_hex(16))
        server.ensure_role(self.role, password)
        return password

    def cache(self) -> Cache:
        """Give the cache."""
        if self.session:
            port, password = self.session.places.ports["redis"], _key(self.session, "redis", "PASSWORD")
            return Cache(LOOPBACK, port, password, self.session.commands, self.session.target.cache)
        address = urlsplit(self.variables.get("REDIS_URL") or f"redis://{LOOPBACK}:6379/0")
        if address.hostname not in {*LOCAL_HOSTS, "redis"}:
            raise BadInput(
                f"REDIS_URL is not a service of this job: {address.hostname!r}", next_step="unset REDIS_URL"
            )
        return Cache(address.hostname or "", address.port or 6379, Secret(unquote(address.password or "")))

    def object_store(self) -> ObjectStore:
        """Give the object store with a login that makes buckets; BadInput where none is set, or a far one."""
        found = self._job_store() if self.session is None else self._own_or_foreign(self.session)
        if found is None:
            raise BadInput(
                "these tests ask for an object store, and none is set here",
                next_step="set object_store: embedded in invoke.local.yaml, then ./inv test.run --with s3",
            )
        host = urlsplit(found.endpoint).hostname
        if host not in ({*LOCAL_HOSTS, UNIT} if self.session is None else LOCAL_HOSTS):
            raise Refused(
                f"the object store is on {host!r}, not on this machine; no bucket was touched",
                next_step="set object_store: embedded in invoke.local.yaml",
            )
        return found

    def _own_or_foreign(self, session: Session) -> ObjectStore | None:
        return embedded_store.own(session) or embedded_store.foreign(session)

    def _job_store(self) -> ObjectStore | None:
        names = "S3_ENDPOINT", "S3_ACCESS_KEY", "S3_SECRET_KEY"
        endpoint, access, secret = (self.variables.get(name, "") for name in names)
        return ObjectStore(endpoint, Secret(access), Secret(secret)) if endpoint else None


def servers(this: Command, project: Project, environment: str, *, claim: bool = False) -> Servers:
    """Give the servers of a test environment; with `claim` their ports are chosen for good."""
    role = project.role
    if environment == "github_ci":
        this.redactor.learn(*(Secret(this.variables.get(name, "")) for name in JOB_SECRETS))
        return Servers("job", role, None, this.variables)
    outcome = Outcome(this.outcome.command, "local")
    session = assembly.open_session(replace(this, outcome=outcome), project, "local", "process", claim=claim)
    return Servers(session.places.checkout, role, session, this.variables)


def _job_host(variables: Mapping[str, str]) -> str:
    """Give the host of the job's database: named by DATABASE_URL where the job runs in a container."""
    address = urlsplit(variables.get("DATABASE_URL", ""))
    return address.hostname or LOOPBACK


def _key(session: Session, service: str, key: str) -> Secret:
    found = session.keys.readable().get(service, {}).get(key)
    if found is None:
        words = f"{service} was never set up here"
        raise Unreachable(words, next_step=session.say(f"{service}.setup"))
    return found
