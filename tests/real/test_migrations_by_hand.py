"""Migrations by hand on the local database, and what the application says that it needs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.real.conftest import Checkout, Done, kill
from tests.waiting import until

pytestmark = pytest.mark.real
COMMENT = "COMMENT ON DATABASE finance_report IS 'infra:env:{}';\n"


def facts(done: Done) -> dict[str, Any]:
    found: dict[str, Any] = done.json["facts"]
    return found


def test_a_database_goes_forward_and_back_and_only_as_long_as_it_is_ours(checkout: Checkout) -> None:
    nothing = checkout.run("db.current")
    assert (nothing.code, "dev.infra" in nothing.err) == (2, True)
    assert checkout.run("dev.infra").code == 0
    assert facts(checkout.run("db.current", "--json"))["ahead"] == ["0001", "0002", "0003"]
    assert "the database is at 0003, was at no revision" in checkout.run("db.migrate").out
    assert checkout.run("db.migrate", "--json").json["outcome"] == "nothing to do"
    assert "→  0003" in checkout.run("db.history").out
    back = ["db.downgrade", "--to", "0001"]
    asked = checkout.run(*back)
    assert (asked.code, "needs consent" in asked.err) == (2, True)
    assert "undo 0003" in checkout.run(*back, "--dry-run").out
    assert facts(checkout.run("db.current", "--json"))["revision"] == "0003"
    assert "the database is at 0001" in checkout.run(*back, "--yes").out
    mark(checkout, "staging")
    for words in (["db.migrate"], ["db.current"], [*back, "--yes"]):
        refused = checkout.run(*words)
        assert (refused.code, "marked 'infra:env:staging'" in refused.err) == (1, True), words
    mark(checkout, "local")
    assert facts(checkout.run("db.current", "--json"))["revision"] == "0001"


def mark(checkout: Checkout, environment: str) -> None:
    """Write another marker at the database, as only its superuser can."""
    shell = ["finance_report.postgres.shell", "--superuser"]
    assert checkout.run(*shell, stdin=COMMENT.format(environment)).code == 0


def test_the_boot_check_names_each_dependency_that_is_broken(checkout: Checkout) -> None:
    assert rows(checkout, "full", 2) == {}, "nothing was ever rendered here"
    assert checkout.run("dev.infra").code == 0
    until(lambda: rows(checkout, "full")["s3"] == "ok")
    good = {"settings": "ok", "postgres": "ok", "redis": "ok", "s3": "ok", "ai": "skipped", "secrets": "ok"}
    assert rows(checkout, "full", 0) == good
    for supervisor in checkout.supervisors():
        kill(supervisor)
    broken: dict[str, str] = {}
    for unit, name in (("minio", "s3"), ("redis", "redis"), ("postgres", "postgres")):
        kill(checkout.processes()[unit][0])
        broken[name] = "error"
        assert rows(checkout, "full", 1) == good | broken
    assert rows(checkout, "critical", 1) == {"settings": "ok", "postgres": "error"}
    assert rows(checkout, "dry-run", 0) == {"settings": "ok"}
    unknown = checkout.run("boot.check", "--mode", "half")
    assert (unknown.code, "dry-run, critical, full" in unknown.err) == (2, True)


def rows(checkout: Checkout, mode: str, code: int | None = None) -> dict[str, str]:
    done = checkout.run("boot.check", "--mode", mode, "--json")
    assert code in {None, done.code}, done.err
    return {row["name"]: row["status"] for row in facts(done).get("rows", [])}
