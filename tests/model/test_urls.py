"""Addresses of the stores: what goes in comes out, whatever a password holds."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.model.environment import Target
from infra.model.environments import environment
from infra.model.naming import Names
from infra.model.urls import database_url, redis_url, store_host
from tests.model.yaml_cases import cases

HOSTILE = ["", "p@ss:w/rd?x#y", "100%", "%41", "a b+c", "größe", "\n", "'\"$`\\", "[::1]", "日本"]
TEXTS = st.text() | st.sampled_from(HOSTILE)
PORTS = st.integers(1, 65535)


def test_the_deployed_addresses_are_those_of_the_table() -> None:
    host = "finance_report-postgres-staging"
    assert database_url("finance_report_app", "s3cret", host, 5432, "finance_report") == (
        "postgresql+asyncpg://finance_report_app:s3cret@finance_report-postgres-staging:5432/finance_report"
    )
    assert redis_url("s3cret", "finance_report-redis", 6379) == "redis://:s3cret@finance_report-redis:6379/0"


@given(TEXTS, TEXTS, PORTS, TEXTS)
def test_every_part_of_a_database_address_comes_back_as_it_was(
    role: str, password: str, port: int, database: str
) -> None:
    url = database_url(role, password, "localhost", port, database)
    parts = urlsplit(url)
    assert url.isascii()
    assert (parts.scheme, parts.hostname, parts.port) == ("postgresql+asyncpg", "localhost", port)
    assert (parts.query, parts.fragment) == ("", "")
    back = unquote(parts.username or ""), unquote(parts.password or ""), unquote(parts.path[1:])
    assert back == (role, password, database)


@given(TEXTS, PORTS, st.integers(0, 15))
def test_every_part_of_a_cache_address_comes_back_as_it_was(password: str, port: int, index: int) -> None:
    parts = urlsplit(redis_url(password, "localhost", port, index))
    assert (parts.scheme, parts.username, parts.hostname) == ("redis", "", "localhost")
    assert (unquote(parts.password or ""), parts.port, parts.path) == (password, port, f"/{index}")


@given(TEXTS)
def test_a_host_cannot_add_a_login_a_path_or_a_query(host: str) -> None:
    parts = urlsplit(redis_url("s3cret", host, 6379))
    assert (parts.username, parts.password) == ("", "s3cret")
    assert (parts.port, parts.path, parts.query, parts.fragment) == (6379, "/0", "", "")


@pytest.mark.parametrize(("part", "env", "target", "inside", "host"), cases("addresses", "store_hosts"))
def test_a_store_is_asked_where_its_environment_and_target_put_it(
    part: str, env: str, target: Target | None, inside: bool, host: str
) -> None:
    found = store_host(part, Names("finance_report"), environment(env), target, in_container=inside)
    assert found == host
