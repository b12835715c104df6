"""How a Vault stands, and how long the credentials of its agents last: `vault.status`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from infra.model.clock import iso
from infra.model.errors import Denied, KnownBad
from infra.plan.credentials import words
from infra.plan.vault_status import Standing, alarms, hint
from infra.store.paths import secrets_path
from infra.store.vault.kv import VaultStore
from infra.vault.ages import changes

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.service import Service
    from infra.store.vault.server import Health
    from infra.vault.custody import Custody

COLUMNS = ("environment", "service", "credential", "made", "left", "last login", "state")
_OPEN = "vault operator unseal"
_INIT = "vault operator init"


def show(this: Command, custodies: Sequence[Custody]) -> None:
    """Print the state of each server and a line for each agent.

    KnownBad for a server that is sealed or not initialised, a credential that is gone or ends within 7 days,
    and a key whose rotation is due; Unreachable and Denied as they come.
    """
    servers: dict[str, dict[str, Any]] = {}
    for custody in custodies:
        if custody.client.address not in servers:
            servers[custody.client.address] = _look_at(this, custody)
    rows = [row for custody in custodies for row in _rows(custody)]
    this.outcome.facts["credentials"] = rows
    this.console.table([COLUMNS, *([str(row[name]) for name in COLUMNS] for row in rows)])
    for custody in custodies:
        _require_quiet(custody, [row for row in rows if row["environment"] == custody.environment.name])


def _look_at(this: Command, custody: Custody) -> dict[str, Any]:
    """Give what is known of a server, and print it."""
    health = custody.server.health()
    facts = _server(custody, health)
    this.outcome.facts.setdefault("server", facts)
    _require_open(custody, health)
    devices = _audit(custody)
    facts |= {"audit": devices, "token_seconds_left": custody.own_token().seconds}
    this.console.answer(f"Vault {health.version} at {custody.client.address} is {health.state}")
    this.console.answer(f"audit: {devices if isinstance(devices, str) else ', '.join(devices) or 'none'}")
    return facts


def _rows(custody: Custody) -> list[dict[str, Any]]:
    name, now = custody.environment.name, custody.now()
    return [{"environment": name, **_row(_standing(custody, one), now)} for one in custody.services]


def _server(custody: Custody, health: Health) -> dict[str, Any]:
    facts = {"address": custody.client.address, "state": health.state, "version": health.version}
    return facts | ({"progress": f"{health.progress}/{health.threshold}"} if health.threshold else {})


def _require_open(custody: Custody, health: Health) -> None:
    if health.is_open:
        return
    step = _INIT if health.state == "not initialised" else _OPEN
    address = custody.client.address
    raise KnownBad(f"Vault at {address} is {health.words}", next_step=f"{step} -address={address}")


def _audit(custody: Custody) -> list[str] | str:
    """Give the audit devices; whoever may not read them is told so, which is no failure."""
    try:
        found = custody.server.audit_devices()
    except Denied:
        return "unknown: your token may not read sys/audit"
    return [f"{one.kind} {one.path}{', values in clear' if one.is_raw else ''}".rstrip() for one in found]


def _standing(custody: Custody, service: Service) -> Standing:
    mine = custody.credentials(service.name, custody.approle.accessors(custody.role(service.name)) or ())
    path = secrets_path(custody.project, custody.environment.store_path, service.name)
    ages = changes(VaultStore(custody.client, custody.settings.mount), path)
    made = [spec.key for spec in service.secrets if spec.kind == "generated" and spec.key in ages]
    changed = tuple((key, ages[key].at) for key in made)
    return Standing(service.name, mine, custody.login(service.name), changed)


def _row(standing: Standing, now: datetime) -> dict[str, Any]:
    current, login = standing.current, standing.login
    found = alarms(standing, now)
    return {
        "service": standing.service,
        "credential": current.accessor if current else "–",
        "made": iso(current.created) if current else "–",
        "left": words(current.left(now)) if current else "–",
        "last login": iso(login.time) if login else "–",
        "state": "; ".join(found) or hint(standing, now) or "ok",
        "alarms": list(found),
    }


def _require_quiet(custody: Custody, rows: list[dict[str, Any]]) -> None:
    bad = [f"{row['service']}: {alarm}" for row in rows for alarm in row["alarms"]]
    if not bad:
        return
    name = f"--env {custody.environment.name}{' --target process' if custody.places else ''}"
    is_credential = any("rotation" not in alarm for alarm in bad)
    renew = f"./inv vault.setup-tokens --project={custody.project} {name}"
    rotate = f"./inv vault.rotate {name} --service {bad[0].partition(':')[0]}"
    raise KnownBad(
        f"{len(bad)} alarms: {bad[0]}", evidence=tuple(bad[1:]), next_step=renew if is_credential else rotate
    )
