"""How long the secrets of an environment take to read when each answer of Vault takes 50 ms."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import finance_report
from infra.model.addresses import Addresses
from infra.model.secret import Secret
from infra.store import keys
from infra.store.paths import secrets_path
from infra.store.vault.client import VaultClient
from infra.store.vault.kv import VaultStore
from tests.doubles.vault_api import ROOT, vault_api

DELAY = 0.05
PLACE = ("finance_report", "staging")
NOWHERE = Addresses("", "", {}, "", "")


def reading(runs: int) -> list[float]:
    """Give, for each run, the time for all keys and marks of staging over the time for one read."""
    specs = tuple(
        replace(spec, kind="generated", derive=None)
        for service in finance_report.PROJECT.services
        for spec in service.secrets
    )
    with vault_api() as api:
        store = VaultStore(VaultClient(api.address, Secret(ROOT)), "secret")
        keys.ensure(store, *PLACE, specs, NOWHERE)
        api.delay = DELAY
        return [
            _seconds(lambda: keys.pending(store, *PLACE, specs, NOWHERE))
            / _seconds(lambda: store.get(secrets_path(*PLACE, "app")))
            for _ in range(runs)
        ]


def _seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began
