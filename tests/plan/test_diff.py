"""What a plan shows of a change."""

from __future__ import annotations

import pytest

from infra.plan.diff import FileChange, masked, text_diff


def test_equal_texts_have_no_diff_and_an_unread_one_is_said_to_be_unread() -> None:
    assert text_diff("a\nb\n", "a\nb\n", "x") == []
    assert text_diff(None, "a\n", "x")[:2] == ["--- x (unread)", "+++ x (wanted)"]
    assert text_diff("a\n", "b\n", "x")[2:] == ["@@ -1 +1 @@", "-a", "+b"]


@pytest.mark.parametrize(
    ("before", "is_read", "line"),
    [
        (None, True, "+ x  2 lines, 4 B, new"),
        (None, False, "+ x  2 lines, 4 B, unread"),
        ("a\n", True, "~ x  +1 −0"),
        ("a\nc\nd\n", True, "~ x  +1 −2"),
        ("-- a\n++ b\n", True, "~ x  +2 −2"),
    ],
)
def test_a_file_is_one_line_with_its_size_or_with_what_becomes_more_and_less(
    before: str | None, is_read: bool, line: str
) -> None:
    assert str(FileChange("x", before, "a\nb\n", is_read)) == line


def test_a_long_file_is_told_in_thousands_of_bytes() -> None:
    assert str(FileChange("x", None, "abcdefg\n" * 200, True)) == "+ x  200 lines, 1.6 kB, new"


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
