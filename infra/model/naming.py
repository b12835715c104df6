"""Names of databases, buckets and containers. Pure, ASCII, limits in bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from infra.model.environment import Environment
from infra.model.errors import BadInput
from infra.model.namespace import checked, short_hash, shortened

IDENTIFIER_LIMIT = 63
ACCOUNT_LIMIT = 32
WORKERS = frozenset(f"gw{number}" for number in range(100))
_LONGEST_WORKER_END = len("_gw99")
_PROJECT = re.compile(r"(?=.{1,32}\Z)[a-z][a-z0-9]*(_[a-z0-9]+)*")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9-]+[a-z0-9]")
_LOCAL_WORDS = {"postgres": "db"}
_STORES = frozenset({"postgres", "redis", "minio"})


def checkout_id(repo_root: object) -> str:
    """Give the id of a checkout: the short hash of its real path."""
    return short_hash(str(repo_root))


def namespace_suffix(namespace: str | None) -> str:
    """Give what names of our own end in: a hyphen and the namespace, empty for None."""
    return "" if namespace is None else f"-{shortened(checked(namespace))}"


def get_s3_bucket(namespace: str | None, base: str = "statements") -> str:
    """Give the bucket of a namespace, the base itself for None: 3 to 63 characters of `a-z0-9-`."""
    full = f"{base}{namespace_suffix(namespace).replace('_', '-')}"
    if not _BUCKET.fullmatch(full):
        raise BadInput(
            f"{full!r} is no bucket: 3 to 63 characters of a-z0-9-, no hyphen at an end",
            next_step="name another base",
        )
    return full if len(full) <= IDENTIFIER_LIMIT else f"{full[:54].rstrip('-')}-{short_hash(full)}"


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one project's databases, buckets and containers; BadInput for what can be no project."""

    project: str

    def __post_init__(self) -> None:
        if not _PROJECT.fullmatch(self.project):
            raise BadInput(
                f"{self.project!r} is no project: words of a-z0-9 joined by _, 32 characters at most",
                next_step="rename the project's folder",
            )

    def get_test_db_name(self, namespace: str | None) -> str:
        """Give the test database of a namespace; for None that of the forge's CI."""
        main = f"{self.project}_test"
        return main if namespace is None else f"{main}_{self._fitting(namespace)}"

    def get_worker_db_name(self, namespace: str | None, worker: str | None) -> str:
        """Give the database of a test worker, `gw0` to `gw99`; the main one's is the test database."""
        main = self.get_test_db_name(namespace)
        if worker in {None, "master"}:
            return main
        if worker not in WORKERS:
            raise BadInput(f"{worker!r} is no worker: gw0 to gw99, or master", next_step="./inv test.names")
        return f"{main}_{worker}"

    def get_dev_db_name(self, namespace: str) -> str:
        """Give the database of another checkout that uses shared containers."""
        return f"{self.project}_dev_{self._fitting(namespace)}"

    def _fitting(self, namespace: str) -> str:
        """Give the namespace so short that a worker's database of this project is a PostgreSQL identifier."""
        limit = IDENTIFIER_LIMIT - len(f"{self.project}_test_") - _LONGEST_WORKER_END
        return shortened(shortened(checked(namespace)), limit)

    def account(self, service: str) -> str:
        """Give the machine's account of a service's server: a user name of 32 characters at most."""
        full = f"{self.project}_{service}"
        return full if len(full) <= ACCOUNT_LIMIT else f"{full[:23].rstrip('_')}_{short_hash(full)}"

    def database(self, environment: Environment, namespace: str | None = None) -> str:
        """Give the database of an environment; `namespace` is None in the first checkout of a machine."""
        own = _own_namespace(environment, namespace)
        if environment.is_test:
            return self.get_test_db_name(own)
        return self.project if own is None else self.get_dev_db_name(own)

    def bucket(self, environment: Environment, namespace: str | None = None) -> str:
        """Give the bucket of an environment; `namespace` is None in the first checkout of a machine."""
        base = environment.bucket.format(project=self._hyphenated)
        return get_s3_bucket(_own_namespace(environment, namespace), base)

    def container(self, part: str, environment: Environment) -> str:
        """Give the container of a part; empty where the environment runs none of its own."""
        if part == "minio" and not environment.has_object_store:
            return ""
        if environment.is_deployed:
            return f"{self.project}-{part}{environment.suffix}"
        is_missing = part not in _STORES and not environment.has_application
        if environment.kind == "github_ci" or is_missing:
            return ""
        return f"{self._hyphenated}-{_LOCAL_WORDS.get(part, part)}"

    def agent(self, service: str, environment: Environment) -> str:
        """Give the container of a service's Vault agent; empty where nothing is deployed."""
        if not environment.is_deployed:
            return ""
        return f"{self.project}-{service}-vault-agent{environment.suffix}"

    @property
    def _hyphenated(self) -> str:
        return self.project.replace("_", "-")


def _own_namespace(environment: Environment, namespace: str | None) -> str | None:
    if environment.namespaced == "always" and namespace is None:
        raise BadInput(f"{environment.name} needs a namespace", next_step="./inv test.names")
    return None if environment.namespaced == "never" else namespace
