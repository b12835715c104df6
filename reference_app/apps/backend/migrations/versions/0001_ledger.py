"""Accounts and the journal."""

from alembic import op

revision = "0001"
down_revision = None
rollback = "compatible"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE accounts (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            code text NOT NULL UNIQUE,
            name text NOT NULL,
            kind text NOT NULL CHECK (kind IN ('asset', 'liability', 'equity', 'income', 'expense'))
        )""")
    op.execute("""
        CREATE TABLE journal_entries (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            booked_on date NOT NULL,
            memo text NOT NULL
        )""")
    op.execute("""
        CREATE TABLE journal_lines (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            entry_id bigint NOT NULL REFERENCES journal_entries ON DELETE CASCADE,
            account_id bigint NOT NULL REFERENCES accounts,
            amount numeric(14, 2) NOT NULL CHECK (amount <> 0)
        )""")
    op.execute("CREATE INDEX ON journal_lines (entry_id)")
    op.execute("CREATE INDEX ON journal_lines (account_id)")
    op.execute("CREATE TABLE ping (state text NOT NULL CHECK (state IN ('ping', 'pong')))")
    op.execute("INSERT INTO ping VALUES ('ping')")


def downgrade() -> None:
    op.execute("DROP TABLE ping, journal_lines, journal_entries, accounts")
