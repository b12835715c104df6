"""Names of databases and buckets: exact, apart, and short enough."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from infra.model.errors import BadInput
from infra.model.naming import WORKERS, Names, checkout_id, get_s3_bucket, namespace_suffix
from tests.model.yaml_cases import cases

NAMES = Names("finance_report")
NAMESPACES = st.from_regex(r"\A[a-z0-9]{1,12}(_[a-z0-9]{1,12}){0,5}\Z").filter(
    lambda one: not re.search(r"(^|_)gw[0-9]+\Z", one)
)
MAYBE_WORKER = st.none() | st.sampled_from(sorted(WORKERS))


@pytest.mark.parametrize(("namespace", "database"), cases("names", "test_databases"))
def test_a_test_database_is_named_after_its_namespace(namespace: str | None, database: str) -> None:
    assert NAMES.get_test_db_name(namespace) == database


@pytest.mark.parametrize(("namespace", "database"), cases("names", "dev_databases"))
def test_another_checkout_develops_in_a_database_of_its_own(namespace: str, database: str) -> None:
    assert NAMES.get_dev_db_name(namespace) == database


@pytest.mark.parametrize(("namespace", "suffix"), cases("names", "suffixes"))
def test_names_of_our_own_end_in_the_namespace(namespace: str | None, suffix: str) -> None:
    assert namespace_suffix(namespace) == suffix


@pytest.mark.parametrize(("namespace", "worker", "database"), cases("names", "workers"))
def test_each_worker_has_a_database_and_the_main_one_the_test_database(
    namespace: str | None, worker: str | None, database: str
) -> None:
    assert NAMES.get_worker_db_name(namespace, worker) == database


@pytest.mark.parametrize("worker", cases("names", "refused_workers"))
def test_any_other_worker_is_a_value_error(worker: str) -> None:
    with pytest.raises(ValueError, match="is no worker"):
        NAMES.get_worker_db_name("feature_auth", worker)


@pytest.mark.parametrize(("namespace", "base", "bucket"), cases("names", "buckets"))
def test_a_bucket_is_its_base_and_the_namespace_in_hyphens(
    namespace: str | None, base: str, bucket: str
) -> None:
    assert get_s3_bucket(namespace, base) == bucket


def test_a_bucket_is_for_statements_unless_another_base_is_given() -> None:
    assert get_s3_bucket("feature_auth") == "statements-feature-auth"


@pytest.mark.parametrize(("namespace", "base"), cases("names", "refused_buckets"))
def test_what_object_stores_refuse_is_refused_here(namespace: str | None, base: str) -> None:
    with pytest.raises(BadInput, match="is no bucket"):
        get_s3_bucket(namespace, base)


NAMED: dict[str, Callable[[str], str]] = {
    "test database": NAMES.get_test_db_name,
    "worker's database": lambda namespace: NAMES.get_worker_db_name(namespace, "gw0"),
    "database of a checkout": NAMES.get_dev_db_name,
    "bucket": get_s3_bucket,
    "suffix": namespace_suffix,
}


@pytest.mark.parametrize("name", NAMED.values(), ids=NAMED)
@pytest.mark.parametrize("namespace", cases("names", "refused_namespaces"))
def test_no_name_is_made_from_what_is_no_namespace(name: Callable[[str], str], namespace: str) -> None:
    with pytest.raises(ValueError, match="is no namespace"):
        name(namespace)


@given(NAMESPACES, MAYBE_WORKER, NAMESPACES, MAYBE_WORKER)
@example("foo", "gw1", "foo_gw", None)
@example("x" * 80, "gw1", "x" * 81, "gw1")
def test_two_workers_never_share_a_database(
    namespace: str, worker: str | None, other_namespace: str, other_worker: str | None
) -> None:
    assume((namespace, worker) != (other_namespace, other_worker))
    one = NAMES.get_worker_db_name(namespace, worker)
    other = NAMES.get_worker_db_name(other_namespace, other_worker)
    assert one != other
    assert other != NAMES.get_worker_db_name(None, worker)


@given(NAMESPACES, NAMESPACES)
def test_two_namespaces_share_no_name_and_every_name_fits(namespace: str, other: str) -> None:
    for name in NAMED.values():
        assert (name(namespace) == name(other)) == (namespace == other)
        assert re.fullmatch(r"[a-z0-9_-]{2,63}", name(namespace))


@given(NAMESPACES, st.from_regex(r"\A[a-z][a-z0-9]{0,31}\Z"))
@example("x" * 80, "p" * 32)
def test_a_longer_project_leaves_less_of_the_namespace_and_still_fits(namespace: str, project: str) -> None:
    names = Names(project)
    assert len(names.get_worker_db_name(namespace, "gw99")) <= 63
    assert len(names.get_dev_db_name(namespace)) <= 63


@given(st.none() | NAMESPACES, st.text("ab-", max_size=100))
def test_every_bucket_that_is_given_is_one_that_object_stores_take(namespace: str | None, base: str) -> None:
    try:
        bucket = get_s3_bucket(namespace, base)
    except BadInput:
        assume(False)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", bucket)


def test_two_long_buckets_with_one_beginning_stay_two() -> None:
    one, other = get_s3_bucket(None, "a" * 70), get_s3_bucket(None, "a" * 71)
    assert one != other
    assert one.startswith("a" * 54 + "-")
    assert len(one) == len(other) == 63


@pytest.mark.parametrize(
    "project", ["", "Finance", "finance-report", "_x", "x_", "1x", "x\n", "größe", "x" * 33]
)
def test_a_project_that_no_database_could_be_named_after_is_refused(project: str) -> None:
    with pytest.raises(BadInput, match="is no project"):
        Names(project)


def test_a_checkout_is_known_by_its_path() -> None:
    assert checkout_id("/home/alice/finance_report") == "648490f2"
