"""The audit and a rotation in a rehearsal with a real Vault and real agents."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.real.conftest import Checkout, Done
from tests.real.kept import takes_at
from tests.real.vault_rehearsal import Rehearsal
from tests.real.vault_server import VaultServer

pytestmark = pytest.mark.real("VT", "PG", "RD", "APP")
HERE = ("--env", "staging", "--target", "process")
ROLE = "finance_report-staging-app"


@pytest.fixture
def rehearsal(checkout: Checkout) -> Iterator[Rehearsal]:
    """Staging with credentials that `vault.setup-tokens` made, set up and proven."""
    made = Rehearsal(checkout)
    made.start()
    done = checkout.run("vault.setup-tokens", *HERE)
    assert done.code == 0, done.err
    made.setup()
    yield made
    made.end(signal.SIGTERM)


def audit(rehearsal: Rehearsal) -> tuple[Done, dict[tuple[int, str], dict[str, Any]]]:
    """Give the answer, and the rows that are neither ok nor skipped."""
    done = rehearsal.checkout.run("vault.check", *HERE, "--json")
    rows = done.json["facts"]["rows"]
    return done, {(row["number"], row["subject"]): row for row in rows if row["state"] in {"fail", "unknown"}}


def values(server: VaultServer, rehearsal: Rehearsal, service: str) -> dict[str, str]:
    found: dict[str, str] = server.must("GET", rehearsal.path_of(service))["data"]["data"]
    return found


def test_every_row_is_ok_after_setup_and_finds_what_is_done_to_it(rehearsal: Rehearsal) -> None:
    server = rehearsal.server
    done, bad = audit(rehearsal)
    assert (done.code, bad) == (0, {}), done.out
    assert {row["number"] for row in done.json["facts"]["rows"] if row["state"] == "skipped"} == {9}
    server.must("PUT", f"sys/policies/acl/{ROLE}", {"policy": 'path "secret/*" { capabilities = ["read"] }'})
    server.must("POST", f"auth/approle/role/{ROLE}/secret-id")
    server.must("PUT", "sys/policies/acl/finance_report-staging-other", {"policy": "# nothing"})
    server.must("DELETE", "sys/audit/file")
    delivery = rehearsal.root / "credentials/redis/delivery"
    text = delivery.read_text(encoding="utf-8")
    delivery.write_text(text.replace("SECRET_ID=''", "SECRET_ID='not-blank-wrapped'"), encoding="utf-8")
    hour_ago = time.time() - 3600
    os.utime(delivery, (hour_ago, hour_ago))
    done, bad = audit(rehearsal)
    assert done.code == 1
    assert set(bad) == {(1, "app"), (1, ""), (2, "app"), (11, ""), (12, "redis")}
    assert bad[1, ""]["detail"] == "nothing declares finance_report-staging-other"
    assert bad[2, "app"]["detail"] == "2 live credentials, not one"
    assert "not-blank-wrapped" not in done.out + done.err


def test_a_rotation_reaches_the_agents_files_and_the_old_value_is_refused(rehearsal: Rehearsal) -> None:
    server, checkout = rehearsal.server, rehearsal.checkout
    old = values(server, rehearsal, "postgres")["APP_PASSWORD"]
    done = checkout.run("vault.rotate", *HERE, "--service", "postgres", "--key", "APP_PASSWORD", "--json")
    assert (done.code, done.json["outcome"]) == (0, "rotated"), done.err
    new = values(server, rehearsal, "postgres")["APP_PASSWORD"]
    assert new in values(server, rehearsal, "app")["DATABASE_URL"]
    ports = json.loads((rehearsal.root / "ports.json").read_text(encoding="utf-8"))
    assert (takes_at(ports, "APP_PASSWORD", new), takes_at(ports, "APP_PASSWORD", old)) == (True, False)
    assert new in rehearsal.rendered("app").read_text(encoding="utf-8")
    keys = checkout.run("vault.keys", *HERE, "--json")
    assert keys.code == 0
    assert [row for row in keys.json["facts"]["keys"] if row["on an old value"]] == []
    assert not {value for value in (old, new) if value in done.out + done.err + keys.out + keys.err}
    done, bad = audit(rehearsal)
    assert (done.code, bad) == (0, {}), done.out
