"""A broken release that migrated: the way back is what the migration declares, never a guess."""

from __future__ import annotations

import pytest

from tests.real.conftest import Checkout

pytestmark = pytest.mark.real

MIGRATION = """
revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
{declared}


def upgrade():
    from alembic import op
    op.execute("CREATE TABLE newer (n int)")


def downgrade():
    from alembic import op
    op.execute("DROP TABLE newer")
"""


def broken_release(checkout: Checkout, declared: str) -> None:
    """Set up a good release, then make the next one migrate and be unhealthy."""
    checkout.settings("environments: {local: {deadline: 9}}\n")
    checkout.setup()
    versions = checkout.root / "reference_app/apps/backend/migrations/versions"
    (versions / "0004_newer.py").write_text(MIGRATION.format(declared=declared), encoding="utf-8")
    checkout.misbehave(mode="unhealthy")


def tables(checkout: Checkout) -> str:
    sql = "SELECT version_num, to_regclass('newer') FROM alembic_version;\n"
    return checkout.run("finance_report.postgres.shell", stdin=sql).out.replace(" ", "")


def test_a_downgrade_that_is_declared_safe_runs_before_the_older_release(checkout: Checkout) -> None:
    broken_release(checkout, 'rollback = "downgrade"')
    good = checkout.health["git_sha"]
    done = checkout.run("finance_report.app.setup", "--json")
    assert (done.code, done.json["outcome"]) == (1, "failed_rolled_back"), done.err
    assert "downgrade database 0003" in " ".join(done.json["changes"])
    assert "0003|" in tables(checkout)
    assert (checkout.health["git_sha"], checkout.health["status"]) == (good, "healthy")


def test_an_older_release_runs_on_a_newer_schema_that_is_declared_compatible(checkout: Checkout) -> None:
    broken_release(checkout, 'rollback = "compatible"')
    good = checkout.health["git_sha"]
    done = checkout.run("finance_report.app.setup", "--json")
    assert (done.code, done.json["outcome"]) == (1, "failed_rolled_back"), done.err
    assert "0004|newer" in tables(checkout)
    assert (checkout.health["git_sha"], checkout.health["status"]) == (good, "healthy")
    checkout.misbehave()
    assert checkout.setup("--json").json["outcome"] == "deployed"


@pytest.mark.parametrize("declared", ['rollback = "irreversible"', ""])
def test_a_migration_without_a_way_back_is_named_and_nothing_goes_back(
    checkout: Checkout, declared: str
) -> None:
    broken_release(checkout, declared)
    done = checkout.run("finance_report.app.setup", "--json")
    assert (done.code, done.json["outcome"]) == (1, "failed_not_rolled_back")
    first, second = done.json["errors"]
    assert "unhealthy" in first["message"]
    assert "migration 0004" in second["message"]
    assert "go forward" in second["next"]
    assert "0004|newer" in tables(checkout)
    checkout.misbehave()
    checkout.setup()
    assert checkout.health["status"] == "healthy"
