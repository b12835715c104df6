"""What a rotation will do, and which keys may be put or renewed: decided from declarations alone."""

from __future__ import annotations

import pytest

import finance_report
from infra.model.addresses import Addresses
from infra.model.errors import BadInput
from infra.plan.consumers import followers, is_derived_here, readers
from infra.plan.key_choice import to_put, to_rotate
from infra.plan.rotation import Rotation

SPECS = tuple(spec for service in finance_report.PROJECT.services for spec in service.secrets)
OWN = Addresses(
    "db",
    "cache",
    {"postgres": 5432, "redis": 6379},
    "d",
    "d_app",
    "b",
    "http://store",
    object_store_login="APP",
)
FOREIGN = Addresses("db", "cache", {"postgres": 5432, "redis": 6379}, "d", "d_app", "b", "http://store")
FLAGS = "--env staging"
READ_BY = {
    ("postgres", "APP_PASSWORD"): (("postgres", "app"), (("app", "DATABASE_URL"),)),
    ("postgres", "POSTGRES_PASSWORD"): (("postgres",), ()),
    ("redis", "PASSWORD"): (("redis", "app"), (("app", "REDIS_URL"),)),
    ("minio", "ROOT_PASSWORD"): (("minio",), ()),
    ("minio", "APP_PASSWORD"): (("minio", "app"), (("app", "S3_SECRET_KEY"),)),
    ("app", "OPENROUTER_API_KEY"): (("app",), ()),
}


@pytest.mark.parametrize("place", READ_BY)
def test_who_reads_a_key_is_told_by_the_derivations(place: tuple[str, str]) -> None:
    assert (readers(place, SPECS, OWN), followers(place, SPECS, OWN)) == READ_BY[place]


def test_what_nothing_is_derived_for_here_is_an_operators() -> None:
    key = next(spec for spec in SPECS if spec.key == "S3_SECRET_KEY")
    assert (is_derived_here(key, OWN), is_derived_here(key, FOREIGN)) == (True, False)
    assert to_put(SPECS, "app", "S3_SECRET_KEY", FOREIGN, FLAGS) is key
    with pytest.raises(BadInput) as refused:
        to_rotate(SPECS, "app", "S3_SECRET_KEY", FOREIGN, FLAGS)
    assert refused.value.next_step == "./inv vault.put --env staging --service app --key S3_SECRET_KEY"


@pytest.mark.parametrize(
    ("choose", "service", "key", "next_step"),
    [
        (to_put, "redis", "PASSWORD", "./inv vault.rotate --env staging --service redis --key PASSWORD"),
        (to_put, "app", "REDIS_URL", "./inv vault.check --env staging"),
        (to_put, "app", "typed-by-mistake", "./inv vault.keys --env staging"),
        (to_put, "typed-by-mistake", "PASSWORD", "./inv vault.keys --env staging"),
        (to_rotate, "app", "REDIS_URL", "./inv vault.check --env staging"),
        (to_rotate, "app", "", "./inv vault.keys --env staging"),
        (to_rotate, "typed-by-mistake", "", "./inv vault.keys --env staging"),
    ],
)
def test_a_refusal_names_the_right_command_and_not_what_was_typed(
    choose: object, service: str, key: str, next_step: str
) -> None:
    assert callable(choose)
    with pytest.raises(BadInput) as refused:
        choose(SPECS, service, key, OWN, FLAGS)
    assert refused.value.next_step == next_step
    assert "typed-by-mistake" not in refused.value.message


def test_without_a_key_all_generated_ones_of_the_service_turn() -> None:
    assert [spec.key for spec in to_rotate(SPECS, "postgres", "", OWN, FLAGS)] == [
        "POSTGRES_PASSWORD",
        "APP_PASSWORD",
    ]


STEPS = {
    "a login": (
        Rotation("redis", ("PASSWORD",), 3, (("app", "REDIS_URL"),), ("redis", "app"), ("Redis",)),
        5,
    ),
    "no server": (Rotation("app", ("SECRET_KEY",), 3, (), ("app",)), 2),
    "at its start": (Rotation("minio", ("ROOT_USER",), 1, (), ("minio",), at_start=("the store",)), 3),
    "cut short": (Rotation("redis", ("PASSWORD",), 3, (), ("redis",), ("Redis",), behind=("Redis",)), 5),
}


@pytest.mark.parametrize("name", STEPS)
def test_the_store_is_written_before_any_server_and_proof_comes_last(name: str) -> None:
    rotation, count = STEPS[name]
    names = [step for step, _ in rotation.steps()]
    assert len(names) == count
    order = ["heal", "write", "change", "derive", "redeploy", "prove"]
    assert names == [step for step in order if step in names]
    assert {"write", "redeploy"} <= set(names)
