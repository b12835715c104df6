"""The logins that generated keys open, tried and changed at the real servers of an environment.

A password goes to its server in the protocol alone: PostgreSQL gets a verifier made here, Redis hides the
argument from its own records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from infra.model.errors import Denied, Refused, Unreachable
from infra.model.secret import Secret
from infra.session import Session
from infra.targets.object_store import ObjectStore
from infra.targets.postgres import connect
from infra.targets.process.database import Database
from infra.targets.process.stores import CacheDoor

SUPERUSER = "postgres"
SUPERUSERS_KEY = "POSTGRES_PASSWORD"
ANSWERS_WITHIN = 5

Values = Mapping[str, Secret]


class Login(Protocol):
    """One server's login. `values` are all keys of its service, as one version of the store holds them."""

    @property
    def name(self) -> str:
        """What it is called in a plan."""

    @property
    def keys(self) -> frozenset[str]:
        """The keys that make it up."""

    @property
    def is_set_at_start(self) -> bool:
        """True where the server takes it from its file when it starts, and is told nothing while it runs."""

    def accepts(self, values: Values) -> bool:
        """Tell whether a real login with these works; Unreachable when nobody answers."""

    def change(self, taken: Iterable[Values], wanted: Values) -> None:
        """Make the server take what is wanted. `taken` are the values it may take now; a repeat is safe."""


def logins_of(session: Session, service: str) -> tuple[Login, ...]:
    """Give the logins that the keys of a service open, in the order in which they are changed."""
    program = session.project.service(service).parts[0].program
    ports, database = session.places.ports, session.target.database
    logs, start = session.say(f"{service}.logs"), session.say(f"{service}.setup")
    if program == "postgres":
        address = _Postgres(database, logs, start)
        # The role first: the superuser's old password is still the one that lets us in.
        return (
            UserLogin(address, database.role, "APP_PASSWORD", "the application's role"),
            UserLogin(address, SUPERUSER, SUPERUSERS_KEY, "PostgreSQL's superuser"),
        )
    if program == "redis":
        return (RedisLogin(ports[program], lambda: session.target.cache, logs, start),)
    if program == "seaweedfs":
        endpoint = session.keys.addresses.object_store
        return (
            ObjectStoreLogin(endpoint, "ROOT", "the object store"),
            ObjectStoreLogin(endpoint, "APP", "the application's login to the object store"),
        )
    return ()


@dataclass(frozen=True, slots=True)
class _Postgres:
    at: Database
    logs: str
    start: str

    def connect(self, user: str, password: Secret) -> Any:
        """Give a connection; None when the password is refused, Unreachable when nobody answers."""
        import psycopg

        database = self.at.name if user == self.at.role else SUPERUSER
        try:
            return connect(
                socket=self.at.socket,
                port=self.at.port,
                user=user,
                password=password.reveal(),
                dbname=database,
                autocommit=True,
                connect_timeout=ANSWERS_WITHIN,
            )
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                return None
            raise _silent("PostgreSQL", self.at.port, self.start, error) from None

    def accepts(self, user: str, password: Secret) -> bool:
        """Tell whether this user gets in with this password."""
        connection = self.connect(user, password)
        if connection is not None:
            connection.close()
        return connection is not None

    def set_password(self, superusers: Iterable[Secret], user: str, password: Secret) -> None:
        """Set a user's password as the superuser; Refused when none of these passwords lets us in."""
        from psycopg import sql

        found = (self.connect(SUPERUSER, one) for one in superusers)
        connection = next((one for one in found if one is not None), None)
        if connection is None:
            words = f"PostgreSQL on port {self.at.port} takes none of the superuser passwords in the store"
            raise Refused(words, next_step=self.logs)
        with connection:
            verifier = connection.pgconn.encrypt_password(
                password.reveal().encode(), user.encode(), b"scram-sha-256"
            ).decode()
            change = sql.SQL("ALTER ROLE {} PASSWORD {}")
            connection.execute(change.format(sql.Identifier(user), sql.Literal(verifier)))


@dataclass(frozen=True, slots=True)
class UserLogin:
    """A user of PostgreSQL whose password is one key; only the superuser's own lets us change any."""

    server: _Postgres
    user: str
    key: str
    name: str
    is_set_at_start: bool = False

    @property
    def keys(self) -> frozenset[str]:
        """The key that opens it."""
        return frozenset({self.key})

    def accepts(self, values: Values) -> bool:
        """Tell whether the user gets in."""
        return self.server.accepts(self.user, values[self.key])

    def change(self, taken: Iterable[Values], wanted: Values) -> None:
        """Set the user's password."""
        superusers = [one[SUPERUSERS_KEY] for one in (*taken, wanted)]
        self.server.set_password(superusers, self.user, wanted[self.key])


@dataclass(frozen=True, slots=True)
class RedisLogin:
    """The one password of Redis."""

    port: int
    door: Callable[[], CacheDoor]
    logs: str
    start: str
    name: str = "Redis"
    keys: frozenset[str] = frozenset({"PASSWORD"})
    is_set_at_start: bool = False

    def accepts(self, values: Values) -> bool:
        """Tell whether Redis lets this password in."""
        client = self._client(values["PASSWORD"])
        if client is not None:
            client.close()
        return client is not None

    def change(self, taken: Iterable[Values], wanted: Values) -> None:
        """Set the password and cut every other client: those that were let in by the old one."""
        found = (self._client(one["PASSWORD"]) for one in (wanted, *taken))
        client = next((one for one in found if one is not None), None)
        if client is None:
            words = f"Redis on port {self.port} takes none of the passwords in the store"
            raise Refused(words, next_step=self.logs)
        with client:
            client.config_set("requirepass", wanted["PASSWORD"].reveal())
            client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    def _client(self, password: Secret) -> Any:
        """Give a client that was let in; None when the password is refused."""
        from redis import AuthenticationError, Redis, RedisError

        options = self.door().options
        client = Redis(**options, password=password.reveal(), socket_timeout=ANSWERS_WITHIN)
        try:
            client.ping()
        except AuthenticationError:
            client.close()
            return None
        except RedisError as error:
            client.close()
            raise _silent("Redis", self.port, self.start, error) from None
        return client


@dataclass(frozen=True, slots=True)
class ObjectStoreLogin:
    """One login of the object store, by its keys' prefix; the server takes what it was started with."""

    endpoint: str
    prefix: str
    name: str
    is_set_at_start: bool = True

    @property
    def keys(self) -> frozenset[str]:
        """The keys that make it up."""
        return frozenset({f"{self.prefix}_USER", f"{self.prefix}_PASSWORD"})

    def accepts(self, values: Values) -> bool:
        """Tell whether the object store lets this login list its buckets."""
        try:
            user, password = values[f"{self.prefix}_USER"], values[f"{self.prefix}_PASSWORD"]
            ObjectStore(self.endpoint, user, password).buckets()
        except Denied:
            return False
        return True

    def change(self, taken: Iterable[Values], wanted: Values) -> None:
        """Change nothing: the restart does."""


def _silent(name: str, port: int, start: str, error: Exception) -> Unreachable:
    said = tuple(str(error).strip().splitlines()[-1:])
    return Unreachable(f"{name} on port {port} does not let anyone in", next_step=start, evidence=said)
