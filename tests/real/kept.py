"""What a checkout's store holds and what its servers take, seen without the code under test."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
import redis

from tests.real.conftest import Checkout

USERS = {
    "APP_PASSWORD": ("finance_report_app", "finance_report"),
    "POSTGRES_PASSWORD": ("postgres", "postgres"),
}


def store_file(checkout: Checkout, env: str = "local") -> Path:
    return next((checkout.folder / "share").rglob(f"{env}.json"))


def stored(checkout: Checkout, service: str, env: str = "local") -> dict[str, str]:
    """Give the newest values of a service."""
    entry = _entry(checkout, service, env)
    values: dict[str, str] = entry["versions"][str(entry["current"])]["values"]
    return values


def ever_stored(checkout: Checkout, service: str, key: str) -> set[str]:
    """Give the values of a key in all versions that are kept."""
    versions = _entry(checkout, service, "local")["versions"].values()
    return {one["values"][key] for one in versions if one["values"]}


def version(checkout: Checkout, service: str) -> int:
    return int(_entry(checkout, service, "local")["current"])


def change(checkout: Checkout, service: str, key: str, value: str) -> None:
    """Change a stored value by hand, in its place."""
    file = store_file(checkout)
    whole = json.loads(file.read_text(encoding="utf-8"))
    entry = whole["entries"][f"finance_report/local/{service}"]
    entry["versions"][str(entry["current"])]["values"][key] = value
    file.write_text(json.dumps(whole), encoding="utf-8")


def _entry(checkout: Checkout, service: str, env: str) -> dict[str, Any]:
    whole = json.loads(store_file(checkout, env).read_text(encoding="utf-8"))
    entry: dict[str, Any] = whole["entries"][f"finance_report/{env}/{service}"]
    return entry


def takes(checkout: Checkout, key: str, value: str) -> bool:
    """Tell whether the real server of the environment local lets this password in."""
    return takes_at(checkout.ports, key, value)


def takes_at(ports: Mapping[str, int], key: str, value: str) -> bool:
    """Tell whether the real server at these ports lets this password in."""
    if key == "PASSWORD":
        return _redis_takes(ports["redis"], value)
    user, database = USERS[key]
    address = f"host=127.0.0.1 port={ports['postgres']} user={user} dbname={database}"
    try:
        psycopg.connect(address, password=value).close()
    except psycopg.OperationalError as error:
        if "password authentication failed" in str(error):
            return False
        raise
    return True


def _redis_takes(port: int, value: str) -> bool:
    with redis.Redis("127.0.0.1", port, password=value) as client:
        try:
            return bool(client.ping())
        except redis.AuthenticationError:
            return False


def keep_a_row(checkout: Checkout) -> None:
    """Write where the application writes: a row, and a key of the cache."""
    sql = "CREATE TABLE IF NOT EXISTS kept (n int); INSERT INTO kept VALUES (42);\n"
    assert checkout.run("finance_report.postgres.shell", stdin=sql).code == 0
    assert checkout.run("finance_report.redis.shell", stdin="SET kept 42\n").code == 0


def has_the_row(checkout: Checkout) -> bool:
    rows = checkout.run("finance_report.postgres.shell", stdin="SELECT n FROM kept;\n").out
    cached = checkout.run("finance_report.redis.shell", stdin="GET kept\n").out
    return "42" in rows and cached.strip() == "42"
