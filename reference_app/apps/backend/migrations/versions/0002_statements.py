"""Users and their bank statements."""

from alembic import op

revision = "0002"
down_revision = "0001"
rollback = "compatible"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE users (
            name text PRIMARY KEY,
            salt bytea NOT NULL,
            password_hash bytea NOT NULL
        )""")
    op.execute("""
        CREATE TABLE statements (
            account_id bigint NOT NULL REFERENCES accounts,
            day date NOT NULL,
            balance numeric(14, 2) NOT NULL,
            uploaded_by text NOT NULL REFERENCES users,
            PRIMARY KEY (account_id, day)
        )""")


def downgrade() -> None:
    op.execute("DROP TABLE statements, users")
