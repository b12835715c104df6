"""What a plan would change in a text, as a unified diff in which values that may be secret are masked."""

from __future__ import annotations

import difflib
import re

from infra.model.secret import MASK

SECRET_LIKE = re.compile(
    r"([A-Z0-9_]*(?:TOKEN|SECRET[A-Z0-9_]*|PASSWORD|_KEY|DATABASE_URL|REDIS_URL))=(?!\$|'\{\{)\S+"
)
LOGIN = re.compile(r"(://[^/\s:@]*:)[^@\s]+@")
INTERPOLATED = re.compile(r"=\$\{[A-Z_]+:[?-]\}")


def text_diff(before: str | None, after: str, name: str) -> list[str]:
    """Give the lines of a diff; `before` is None when nothing is known of what was sent last."""
    source = f"{name} (sent last)" if before is not None else f"{name} (unread)"
    old = (before or "").splitlines()
    lines = difflib.unified_diff(old, after.splitlines(), source, f"{name} (wanted)", lineterm="", n=2)
    return [masked(line) for line in lines]


def masked(line: str) -> str:
    """Give a line without what looks like the value of a secret: a platform's text may hold foreign ones."""
    if INTERPOLATED.search(line):
        return line
    return LOGIN.sub(rf"\1{MASK}@", SECRET_LIKE.sub(rf"\1={MASK}", line))
