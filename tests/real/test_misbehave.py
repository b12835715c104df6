"""A broken release goes back by itself, and the reported error is the first one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.real.conftest import Checkout

pytestmark = pytest.mark.real


@pytest.fixture
def checkout(shared_checkout: Checkout) -> Checkout:
    """One stack for the whole file, which runs as it should: short deadlines are for what a test breaks."""
    shared_checkout.behaves()
    shared_checkout.setup()
    return shared_checkout


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "failing migration": ({"mode": "failing_migration"}, "migration_error"),
    "unhealthy": ({"mode": "unhealthy"}, "unhealthy"),
    "lying health": ({"mode": "lying_health"}, "unhealthy"),
    "wrong version": ({"mode": "wrong_version"}, "wrong_version"),
    "crash loop": ({"mode": "crash_loop"}, "ended"),
    "hang": ({"mode": "hang"}, "timeout after 8 s"),
}


def verdicts(checkout: Checkout) -> list[str]:
    """Give the verdicts of the application's records, the newest first."""
    records = checkout.run("finance_report.app.history", "--limit", "99", "--json").json["facts"]["records"]
    return [one["verdict"] for one in records]


@pytest.mark.parametrize("name", list(BROKEN))
def test_a_release_that_misbehaves_is_rolled_back_and_the_first_error_is_told(
    checkout: Checkout, name: str
) -> None:
    how, words = BROKEN[name]
    checkout.settings("environments: {local: {deadline: 8}}\n")
    checkout.setup()
    good, before = checkout.health["git_sha"], verdicts(checkout)
    checkout.misbehave(**how)
    done = checkout.run("finance_report.app.setup", "--json")
    answer = done.json
    assert (done.code, answer["outcome"]) == (1, "failed_rolled_back"), done.err
    assert words in answer["errors"][0]["message"], answer["errors"][0]
    assert answer["errors"][0]["next"].startswith("./inv finance_report.app.")
    assert len(answer["errors"]) == 1
    assert checkout.health == {**checkout.health, "status": "healthy", "git_sha": good}
    assert verdicts(checkout) == ["ok", "failed", *before]
    checkout.misbehave()
    assert checkout.setup("--json").json["outcome"] == "nothing to do"


def test_a_slow_start_within_the_limit_is_waited_for(checkout: Checkout) -> None:
    checkout.misbehave(mode="slow_start", seconds=3)
    assert checkout.setup("--json").json["outcome"] == "deployed"


def test_a_first_release_that_misbehaves_is_left_as_it_is_and_marked(
    make_checkout: Callable[[], Checkout],
) -> None:
    checkout = make_checkout()
    checkout.settings("environments: {local: {deadline: 9}}\n")
    checkout.misbehave(mode="unhealthy")
    done = checkout.run("finance_report.app.setup", "--json")
    assert (done.code, done.json["outcome"]) == (1, "failed")
    assert "backend" in checkout.pids()
    checkout.misbehave()
    assert checkout.setup("--json").json["outcome"] == "deployed"


def test_without_rollback_the_failed_state_is_left_for_inspection(checkout: Checkout) -> None:
    checkout.settings("environments: {local: {deadline: 9}}\n")
    checkout.setup()
    checkout.misbehave(mode="unhealthy")
    done = checkout.run("finance_report.app.setup", "--no-rollback", "--json")
    assert (done.code, done.json["outcome"]) == (1, "failed")
    assert checkout.health["status"] == "unhealthy"
    again = checkout.run("finance_report.app.setup", "--json")
    assert (again.code, again.json["outcome"]) == (1, "failed_rolled_back")
    assert checkout.health["status"] == "healthy"


def test_secrets_that_are_held_back_fail_checkpoint_1_with_the_reason(checkout: Checkout) -> None:
    checkout.setup()
    good = checkout.health["git_sha"]
    for file in checkout.folder.rglob("app/.env"):
        file.unlink()
    _remove_from_memory(checkout)
    checkout.settings("drills: {hold_back_secrets: [app]}\n")
    done = checkout.run("finance_report.app.setup", "--force", "--json")
    assert done.code == 1
    assert "file_missing" in done.json["errors"][0]["message"]
    checkout.settings("{}\n")
    checkout.setup()
    assert checkout.health["git_sha"] == good


def _remove_from_memory(checkout: Checkout) -> None:
    """Remove the rendered file of the application where the machine keeps it in memory."""
    from pathlib import Path

    backend = checkout.processes()["backend"][0]
    Path(backend.environ()["INFRA_SECRETS_FILE"]).unlink(missing_ok=True)


def test_rollback_by_hand_goes_to_the_release_before_and_to_a_named_one(checkout: Checkout) -> None:
    checkout.setup()
    first = checkout.health["git_sha"]
    page = checkout.root / "reference_app/apps/backend/src/config.py"
    page.write_text(page.read_text(encoding="utf-8") + "\n# second\n", encoding="utf-8")
    checkout.setup()
    second = checkout.health["git_sha"]
    assert checkout.run("finance_report.app.rollback").code == 0
    assert checkout.health["git_sha"] == first
    assert checkout.run("finance_report.app.rollback", "--to", second[:8]).code == 0
    assert checkout.health["git_sha"] == second
    unknown = checkout.run("finance_report.app.rollback", "--to", "0000000")
    assert unknown.code == 1
    assert "./inv finance_report.app.history" in unknown.err
