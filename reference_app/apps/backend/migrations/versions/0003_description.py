"""A journal entry's memo becomes its description, the word that everyone uses."""

from alembic import op

revision = "0003"
down_revision = "0002"
rollback = "downgrade"


def upgrade() -> None:
    op.execute("ALTER TABLE journal_entries RENAME memo TO description")


def downgrade() -> None:
    op.execute("ALTER TABLE journal_entries RENAME description TO memo")
