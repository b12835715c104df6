"""The four layers between a test run and somebody's data. Each of them alone says no before any drop."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from infra.model.database_mark import read_mark
from infra.model.errors import Refused
from infra.model.naming import WORKERS, Names

ENVIRONMENTS = ("local_ci", "github_ci")
REQUIRED: Mapping[str, str] = {"ENVIRONMENT": "testing", "TESTING": "true"}
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
JOB_SERVICE = "postgres"
SCHEMES = frozenset({"postgresql", "postgresql+asyncpg", "postgresql+psycopg"})


@dataclass(frozen=True, slots=True)
class Aim:
    """What a test run is about to use. `port` is that of the server that was asked for, None for any.

    `comments` are those of the databases that exist already among the ones that the run will drop.
    """

    environment: str
    variables: Mapping[str, str]
    url: str
    names: Names
    namespace: str | None
    port: int | None = None
    comments: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Permit:
    """The leave to drop and make these databases; nothing but `require_safe` gives one to a test run."""

    databases: frozenset[str]


def require_safe(aim: Aim) -> Permit:
    """Give the leave for all databases of the aim's namespace; Refused names each layer that says no."""
    said = tuple(faults(aim))
    if said:
        more = f", and {len(said) - 1} more" if len(said) > 1 else ""
        raise Refused(
            f"these are not our test databases: {said[0]}{more}; nothing was dropped",
            next_step="unset DATABASE_URL ENVIRONMENT TESTING, then ./inv test.names",
            evidence=said[1:],
        )
    return Permit(databases_of(aim.names, aim.namespace))


def faults(aim: Aim) -> Iterator[str]:
    """Give what the layers say, in their order; nothing when all of them hold."""
    return (fault for layer in LAYERS if (fault := layer(aim)))


def databases_of(names: Names, namespace: str | None) -> frozenset[str]:
    """Give the main database of a namespace and those of all workers that it may have."""
    return frozenset(names.get_worker_db_name(namespace, worker) for worker in (None, *WORKERS))


def environment_layer(aim: Aim) -> str:
    """Say no to any environment but the two of tests, and to variables that name another one."""
    if aim.environment not in ENVIRONMENTS:
        return f"{aim.environment} is not an environment for tests ({' and '.join(ENVIRONMENTS)} are)"
    wrong = [name for name, value in REQUIRED.items() if aim.variables.get(name) != value]
    said = (f"{name} is {aim.variables.get(name)!r}, not {REQUIRED[name]!r}" for name in wrong)
    return " and ".join(said)


def name_layer(aim: Aim) -> str:
    """Say no to a database whose name is not exactly one that this namespace gives."""
    address = _parsed(aim.url)
    if address is None:
        return "the address is no PostgreSQL URL without options"
    database = unquote(address.path.removeprefix("/"))
    expected = aim.names.get_test_db_name(aim.namespace)
    if database in databases_of(aim.names, aim.namespace):
        return ""
    return f"the database is {database!r}, not {expected!r}"


def host_layer(aim: Aim) -> str:
    """Say no to a host that is neither this machine nor the job's service, and to another port."""
    address = _parsed(aim.url)
    if address is None:
        return "the address has no host that can be told"
    if address.hostname not in _hosts(aim.environment):
        return f"the host is {address.hostname!r}, not this machine"
    port = address.port or 5432
    return f"the port is {port}, not {aim.port}" if aim.port not in {None, port} else ""


def marker_layer(aim: Aim) -> str:
    """Say no when an existing database of one of these names does not carry our mark for this namespace."""
    unmarked = sorted(
        name for name, comment in aim.comments.items() if not _is_ours(comment, aim.namespace or "")
    )
    return f"{', '.join(unmarked)}: not marked as ours" if unmarked else ""


LAYERS: tuple[Callable[[Aim], str], ...] = (environment_layer, name_layer, host_layer, marker_layer)


def _is_ours(comment: str | None, namespace: str) -> bool:
    mark = read_mark(comment)
    return mark is not None and (mark.kind, mark.subject) == ("test", namespace)


def _hosts(environment: str) -> Collection[str]:
    return LOCAL_HOSTS | {JOB_SERVICE} if environment == "github_ci" else LOCAL_HOSTS


def _parsed(url: str) -> SplitResult | None:
    """Give the parts of a URL; None for one with options: they may name another host or database."""
    try:
        address = urlsplit(url)
        is_whole = address.port is None or address.port > 0
    except ValueError:
        return None
    is_plain = not address.query and not address.fragment and "," not in address.netloc
    return address if is_whole and is_plain and address.scheme in SCHEMES else None
