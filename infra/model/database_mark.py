"""The comment that a database of ours carries: what it is for, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

Kind = Literal["test", "template"]


@dataclass(frozen=True, slots=True)
class Mark:
    """`infra:<kind>:<subject>:<created>`.

    A test database's subject is its namespace, empty in the forge's CI. `created` is UTC in ISO 8601.
    """

    kind: Kind
    subject: str
    created: str

    def __str__(self) -> str:
        """Give the comment."""
        return f"infra:{self.kind}:{self.subject}:{self.created}"

    @property
    def made(self) -> datetime | None:
        """When it was made, None where it does not say so."""
        try:
            return datetime.fromisoformat(self.created).astimezone(UTC)
        except ValueError:
            return None


def read_mark(comment: str | None) -> Mark | None:
    """Give the mark that a comment is, None for any other comment or none."""
    words = (comment or "").split(":", 3)
    for kind in get_args(Kind):
        if len(words) == 4 and words[:2] == ["infra", kind]:
            return Mark(kind, words[2], words[3])
    return None
