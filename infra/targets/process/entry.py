"""A command in the application's own environment: the secrets are in that process alone, as at its start."""

from __future__ import annotations

_TAKE_SECRETS = """
set -a
. "$INFRA_SECRETS_FILE"
set +a
cd "$APP_DIR"
exec "$@"
"""


def with_secrets(*words: str) -> tuple[str, ...]:
    """Give the argv that runs these words in $APP_DIR, with what $INFRA_SECRETS_FILE holds."""
    return ("/bin/sh", "-euc", _TAKE_SECRETS, "sh", *words)
