"""As root each server has an account of its own, which reads nothing that is another's."""

from __future__ import annotations

import pwd
import subprocess
from pathlib import Path

import psutil
import pytest

from tests.neighbour import needs_root
from tests.real.conftest import Checkout

pytestmark = [pytest.mark.real, needs_root]
SERVERS = ("postgres", "redis", "minio", "router")
READ = 'for path; do { test -r "$path" || test -w "$path"; } && echo "$path"; done; :'


def account(service: str) -> str:
    return f"finance_report_{service}"


def open_to(user: str, *paths: Path) -> set[str]:
    """Give those of these paths that a process of this user can read or write."""
    words = ["/bin/sh", "-c", READ, "sh", *map(str, paths)]
    entry = pwd.getpwnam(user)
    done = subprocess.run(
        words, user=user, group=entry.pw_gid, extra_groups=[], check=True, capture_output=True, text=True
    )
    return set(done.stdout.split())


def test_no_server_and_no_daemon_of_nobody_reads_what_another_server_has(checkout: Checkout) -> None:
    checkout.setup()
    root = checkout.state
    own = {
        "postgres": [root / "data/postgres", root / "data/postgres/pgdata/pg_hba.conf"],
        "redis": [root / "data/redis"],
        "minio": [root / "data/minio"],
    }
    for service, paths in own.items():
        folder = checkout.memory / "local" / service
        paths.extend((folder / ".env", *(folder / "server").glob("*")))
    own["app"] = [checkout.memory / "local/app/.env"]
    everything = [path for paths in own.values() for path in paths]
    assert all(path.exists() for path in everything)
    assert open_to("nobody", *everything) == set()
    for service in SERVERS:
        mine = {str(path) for path in own.get(service, ())}
        assert open_to(account(service), *everything) == mine, service
    listed = checkout.run("doctor").out
    assert all(f"{account(service)}" in listed for service in SERVERS)
    assert "root: an account of its own" in listed


def test_data_of_nobody_change_owner_as_one_listed_step(checkout: Checkout) -> None:
    """As PostgreSQL ran for root before it had an account."""
    checkout.settings("object_store: none\nprocess: {users: {postgres: nobody}}\n")
    checkout.setup()
    sql = ("finance_report.postgres.shell",)
    assert checkout.run(*sql, stdin="CREATE TABLE kept AS SELECT 42;\n").code == 0
    checkout.settings("object_store: none\n")
    planned = checkout.run("finance_report.setup", "--json").json["changes"]
    assert "change owner postgres: its data belong to nobody, and finance_report_postgres runs it" in planned
    assert checkout.run(*sql, stdin="TABLE kept;\n").out.split()[2] == "42"
    server = next(one for one in psutil.process_iter() if _is_postgres_of(one, checkout))
    assert server.username() == account("postgres")
    assert checkout.run("finance_report.plan").code == 0


def _is_postgres_of(process: psutil.Process, checkout: Checkout) -> bool:
    try:
        return f"{checkout.state}/data/postgres/pgdata" in process.cmdline()
    except psutil.Error:
        return False
