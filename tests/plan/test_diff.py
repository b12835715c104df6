"""What a plan shows of a change."""

from __future__ import annotations

import pytest

from infra.plan.diff import masked, text_diff


def test_equal_texts_have_no_diff_and_an_unread_one_is_said_to_be_unread() -> None:
    assert text_diff("a\nb\n", "a\nb\n", "x") == []
    assert text_diff(None, "a\n", "x")[:2] == ["--- x (unread)", "+++ x (wanted)"]
    assert text_diff("a\n", "b\n", "x")[2:] == ["@@ -1 +1 @@", "-a", "+b"]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('-      - "S3_SECRET_KEY=abcdef"', '-      - "S3_SECRET_KEY=***'),
        ("-POSTGRES_PASSWORD=hunter22", "-POSTGRES_PASSWORD=***"),
        ("-DATABASE_URL=postgresql://u:pw@h/d", "-DATABASE_URL=***"),
        ("-X=redis://:pw@h:1/0", "-X=redis://:***@h:1/0"),
        ("-VAULT_WRAPPED_SECRET_ID=hvs.abc", "-VAULT_WRAPPED_SECRET_ID=***"),
        (
            '+      - "VAULT_WRAPPED_SECRET_ID=${VAULT_WRAPPED_SECRET_ID:-}"',
            '+      - "VAULT_WRAPPED_SECRET_ID=${VAULT_WRAPPED_SECRET_ID:-}"',
        ),
        ('+      - "ENV=staging"', '+      - "ENV=staging"'),
    ],
)
def test_a_value_that_looks_like_a_secret_is_masked(line: str, shown: str) -> None:
    assert masked(line) == shown
