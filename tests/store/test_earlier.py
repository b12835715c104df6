"""A derived value is ours when earlier addresses of ours give exactly it; all else is another hand's."""

from __future__ import annotations

from dataclasses import replace

import pytest

import finance_report
from infra.model.addresses import Addresses
from infra.model.environments import environment
from infra.model.naming import Names
from infra.model.secret import Place, Secret
from infra.store.keys import generate
from infra.store.settle import BY_HAND, Settled, is_ahead, settle

NAMES = Names("finance_report")
SPECS = tuple(spec for service in finance_report.PROJECT.services for spec in service.secrets)
HERE = Addresses(
    "127.0.0.1",
    "127.0.0.1",
    {"postgres": 5432, "redis": 6379, "minio": 9000},
    "finance_report",
    "finance_report_app",
    "statements",
    "http://127.0.0.1:9000",
    object_store_login="APP",
    project="finance_report",
    environment="local",
)
STAGING = replace(
    HERE,
    postgres=NAMES.container("postgres", environment("staging")),
    redis=NAMES.container("redis", environment("staging")),
    bucket="finance-report-staging",
    object_store="https://minio.internal.example.test",
    object_store_login="",
    environment="staging",
)
PREVIEW = replace(
    HERE,
    postgres=NAMES.container("postgres", environment("pr_47")),
    object_store=f"http://{NAMES.container('minio', environment('pr_47'))}:9000",
    environment="pr_47",
)
FOREIGN_STORE = replace(HERE, object_store="https://s3.example.test", object_store_login="")
SOURCES = {
    ("postgres", "POSTGRES_PASSWORD"): "superuser",
    ("postgres", "APP_PASSWORD"): "p@ss w",
    ("redis", "PASSWORD"): "cache",
    ("minio", "ROOT_USER"): "owner",
    ("minio", "ROOT_PASSWORD"): "stored",
    ("minio", "APP_USER"): "guest",
    ("minio", "APP_PASSWORD"): "kept",
    ("app", "OPENROUTER_API_KEY"): "sk-or-made-up",
}
LOGIN = "postgresql+asyncpg://finance_report_app:p%40ss%20w@"
OURS: dict[str, tuple[Addresses, str, str, str]] = {
    "another port": (HERE, "DATABASE_URL", f"{LOGIN}127.0.0.1:5532/finance_report", "its port is 5432 now"),
    "loopback by name": (
        HERE,
        "DATABASE_URL",
        f"{LOGIN}localhost:5432/finance_report",
        "its host is 127.0.0.1 now",
    ),
    "beside a container": (
        HERE,
        "DATABASE_URL",
        f"{LOGIN}postgres:5432/finance_report",
        "its host is 127.0.0.1 now",
    ),
    "a checkout's database": (
        HERE,
        "DATABASE_URL",
        f"{LOGIN}127.0.0.1:5433/finance_report_dev_feature_a1b2c3d4",
        "its port is 5432 and its database is finance_report now",
    ),
    "the cache": (
        HERE,
        "REDIS_URL",
        "redis://:cache@localhost:6479/0",
        "its host is 127.0.0.1 and its port is 6379 now",
    ),
    "the object store": (
        HERE,
        "S3_ENDPOINT",
        "http://localhost:9100",
        "its host is 127.0.0.1 and its port is 9000 now",
    ),
    "the object store's own login": (HERE, "S3_ACCESS_KEY", "owner", "it is the application's own now"),
    "the object store's own password": (HERE, "S3_SECRET_KEY", "stored", "it is the application's own now"),
    "its own object store before somebody else's": (
        FOREIGN_STORE,
        "S3_ENDPOINT",
        "http://127.0.0.1:9000",
        "its host is s3.example.test now",
    ),
    "processes before containers": (
        STAGING,
        "DATABASE_URL",
        f"{LOGIN}127.0.0.1:5432/finance_report",
        "its host is finance_report-postgres-staging now",
    ),
    "a preview's object store": (
        PREVIEW,
        "S3_ENDPOINT",
        "http://finance_report-minio-pr-47:9100",
        "its port is 9000 now",
    ),
}
THEIRS: dict[str, tuple[Addresses, str, str]] = {
    "a foreign host": (HERE, "DATABASE_URL", f"{LOGIN}db.example.test:5432/finance_report"),
    "a host that begins like ours": (
        HERE,
        "DATABASE_URL",
        f"{LOGIN}localhost.example.test:5432/finance_report",
    ),
    "a host in other letters": (HERE, "DATABASE_URL", f"{LOGIN}LOCALHOST:5432/finance_report"),
    "another address of this machine": (HERE, "DATABASE_URL", f"{LOGIN}127.0.0.2:5432/finance_report"),
    "every address of this machine": (HERE, "DATABASE_URL", f"{LOGIN}0.0.0.0:5432/finance_report"),
    "IPv6": (HERE, "DATABASE_URL", f"{LOGIN}[::1]:5432/finance_report"),
    "the host of another store": (
        STAGING,
        "DATABASE_URL",
        f"{LOGIN}finance_report-redis-staging:5432/finance_report",
    ),
    "another environment's host": (
        STAGING,
        "DATABASE_URL",
        f"{LOGIN}finance_report-postgres:5432/finance_report",
    ),
    "a bare name where it is deployed": (STAGING, "DATABASE_URL", f"{LOGIN}postgres:5432/finance_report"),
    "two hosts": (HERE, "DATABASE_URL", f"{LOGIN}127.0.0.1:5432,127.0.0.1:5433/finance_report"),
    "a login within the host": (
        HERE,
        "DATABASE_URL",
        f"{LOGIN}127.0.0.1:5432@db.example.test:5432/finance_report",
    ),
    "no port": (HERE, "DATABASE_URL", f"{LOGIN}127.0.0.1/finance_report"),
    "port 0": (HERE, "DATABASE_URL", f"{LOGIN}127.0.0.1:0/finance_report"),
    "a port beyond all": (HERE, "DATABASE_URL", f"{LOGIN}127.0.0.1:65536/finance_report"),
    "a port with a zero before": (HERE, "DATABASE_URL", f"{LOGIN}127.0.0.1:05432/finance_report"),
    "a port in other digits": (HERE, "DATABASE_URL", f"{LOGIN}127.0.0.1:٥٤٣٢/finance_report"),
    "another password": (
        HERE,
        "DATABASE_URL",
        "postgresql+asyncpg://finance_report_app:other@127.0.0.1:5532/finance_report",
    ),
    "no password": (
        HERE,
        "DATABASE_URL",
        "postgresql+asyncpg://finance_report_app@127.0.0.1:5532/finance_report",
    ),
    "another user": (
        HERE,
        "DATABASE_URL",
        "postgresql+asyncpg://postgres:p%40ss%20w@127.0.0.1:5532/finance_report",
    ),
    "another encoding": (
        HERE,
        "DATABASE_URL",
        "postgresql+asyncpg://finance_report_app:p%40ss+w@127.0.0.1:5532/finance_report",
    ),
    "more encoding than ours": (HERE, "DATABASE_URL", f"{LOGIN}%6Cocalhost:5532/finance_report"),
    "another scheme": (
        HERE,
        "DATABASE_URL",
        "postgresql://finance_report_app:p%40ss%20w@127.0.0.1:5532/finance_report",
    ),
    "a query": (HERE, "DATABASE_URL", f"{LOGIN}127.0.0.1:5532/finance_report?ssl=disable"),
    "a fragment": (HERE, "DATABASE_URL", f"{LOGIN}127.0.0.1:5532/finance_report#a"),
    "a slash at the end": (HERE, "DATABASE_URL", f"{LOGIN}127.0.0.1:5532/finance_report/"),
    "a line end": (HERE, "DATABASE_URL", f"{LOGIN}127.0.0.1:5532/finance_report\n"),
    "a restored copy": (HERE, "DATABASE_URL", f"{LOGIN}127.0.0.1:5432/finance_report_copy"),
    "another database": (HERE, "DATABASE_URL", f"{LOGIN}127.0.0.1:5432/postgres"),
    "a database of no namespace": (HERE, "DATABASE_URL", f"{LOGIN}127.0.0.1:5432/finance_report_dev_"),
    "a checkout's database where none is": (
        STAGING,
        "DATABASE_URL",
        f"{LOGIN}127.0.0.1:5432/finance_report_dev_a",
    ),
    "another index": (HERE, "REDIS_URL", "redis://:cache@127.0.0.1:6379/1"),
    "the cache with TLS": (HERE, "REDIS_URL", "rediss://:cache@127.0.0.1:6479/0"),
    "the cache with a user": (HERE, "REDIS_URL", "redis://default:cache@127.0.0.1:6479/0"),
    "the cache of another": (HERE, "REDIS_URL", "redis://:cache@cache.example.test:6379/0"),
    "an object store with a slash": (HERE, "S3_ENDPOINT", "http://127.0.0.1:9100/"),
    "an object store with TLS": (HERE, "S3_ENDPOINT", "https://127.0.0.1:9000"),
    "somebody else's object store": (HERE, "S3_ENDPOINT", "http://s3.example.test:9000"),
    "a laptop's where none is": (STAGING, "S3_ENDPOINT", "http://127.0.0.1:9000"),
    "another bucket": (HERE, "S3_BUCKET", "documents"),
    "another key of the bucket": (HERE, "S3_ACCESS_KEY", "another"),
    "nothing but white space": (HERE, "DATABASE_URL", " "),
}


def settled(at: Addresses, key: str = "", value: str = "", *, repair: bool = False) -> Settled:
    held: dict[Place, Secret] = {place: Secret(text) for place, text in SOURCES.items()}
    if key:
        held["app", key] = Secret(value)
    return settle(SPECS, held, {}, at.environment, at, generate, repair=repair)


@pytest.mark.parametrize("name", OURS)
def test_what_an_earlier_derivation_gave_is_rewritten_and_the_reason_is_what_moved(name: str) -> None:
    at, key, value, reason = OURS[name]
    found = settled(at, key, value)
    assert found.drifted == frozenset()
    assert found.reasons == {("app", key): reason}
    assert ("app", key) in found.rewritten
    assert found.values["app", key] == settled(at).values["app", key]


@pytest.mark.parametrize("name", THEIRS)
def test_any_other_value_stays_until_it_is_repaired_on_request(name: str) -> None:
    at, key, value = THEIRS[name]
    found = settled(at, key, value)
    assert (found.drifted, dict(found.reasons)) == (frozenset({("app", key)}), {})
    assert found.values["app", key] == Secret(value)
    assert settled(at, key, value, repair=True).reasons == {("app", key): BY_HAND}


def test_what_follows_from_a_key_that_is_not_written_yet_works_as_it_is_held() -> None:
    held = {place: Secret(text) for place, text in SOURCES.items() if place[1] != "APP_USER"}
    held |= {("app", "S3_ACCESS_KEY"): Secret("owner"), ("app", "S3_SECRET_KEY"): Secret("stored")}
    found = settle(SPECS, held, {}, "local", HERE, generate)
    assert found.reasons.keys() == {("app", "S3_ACCESS_KEY"), ("app", "S3_SECRET_KEY")}
    assert [spec.place for spec in SPECS if is_ahead(spec, held, HERE)] == [("app", "S3_ACCESS_KEY")]


def test_without_the_names_of_project_and_environment_nothing_is_known_of_earlier() -> None:
    nameless = replace(HERE, project="", environment="")
    held = {place: Secret(text) for place, text in SOURCES.items()}
    held["app", "REDIS_URL"] = Secret("redis://:cache@127.0.0.1:6479/0")
    found = settle(SPECS, held, {}, "local", nameless, generate)
    assert found.drifted == {("app", "REDIS_URL")}
