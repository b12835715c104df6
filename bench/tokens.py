"""How long `vault.setup-tokens` takes for three environments, and how often it asks for each target."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.model.verdict import Outcome
from tests.real.vault_custody import SERVICES, Yard, yard_of
from tests.real.vault_program import vault_program
from tests.real.vault_server import running_server

ENVIRONMENTS = ("pr_47", "staging", "production")


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds for all targets, without redeploy and proof, and the most requests that one target took."""

    first: float
    first_requests: float
    idle: float
    idle_requests: float


def runs(count: int) -> list[Taken]:
    """Give so many first runs, each with the run after it that finds nothing to do."""
    return [_once() for _ in range(count)]


def _once() -> Taken:
    with _yard() as yard:
        for env in ENVIRONMENTS:
            yard.open(env)
        first, first_requests = _measured(yard)
        idle, idle_requests = _measured(yard)
    return Taken(first, first_requests, idle, idle_requests)


@contextmanager
def _yard() -> Iterator[Yard]:
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server(vault_program(), Path(folder)) as server,
        pytest.MonkeyPatch.context() as patch,
        yard_of(server, patch) as yard,
    ):
        yield yard


def _measured(yard: Yard) -> tuple[float, float]:
    yard.calls.made.clear()
    yard.redeploy_seconds = 0.0
    began = time.perf_counter()
    outcome: Outcome = yard.setup()
    seconds = time.perf_counter() - began - yard.redeploy_seconds
    assert outcome.exit_code == 0, outcome.errors
    roles = [yard.role(env, service) for env in ENVIRONMENTS for service in SERVICES]
    return seconds, float(max(len(yard.calls.of(role)) for role in roles))
