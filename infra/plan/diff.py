"""What a plan would change in a text: a line with its size, or a diff with what may be secret masked."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Any

from infra.model.secret import MASK

SECRET_LIKE = re.compile(
    r"([A-Z0-9_]*(?:TOKEN|SECRET[A-Z0-9_]*|PASSWORD|_KEY|DATABASE_URL|REDIS_URL))=(?!\$|'\{\{)\S+"
)
LOGIN = re.compile(r"(://[^/\s:@]*:)[^@\s]+@")
INTERPOLATED = re.compile(r"=\$\{[A-Z_]+:[?-]\}")


@dataclass(frozen=True, slots=True)
class FileChange:
    """A text that would be sent. `before` is what was sent last, None where there is none or it is unread."""

    name: str
    before: str | None
    after: str
    is_read: bool

    @property
    def diff(self) -> list[str]:
        """The lines of its diff, masked; none when nothing would change."""
        return text_diff(self.before, self.after, self.name)

    @property
    def state(self) -> str:
        """What becomes of it: new, changed, or unread where nobody knows what was sent last."""
        if self.before is not None:
            return "changed"
        return "new" if self.is_read else "unread"

    def as_json(self) -> dict[str, Any]:
        """Give its sizes as plain values: lines and bytes of the whole, and lines more and less."""
        marks = [line[:1] for line in self.diff[2:]]
        return {
            "file": self.name,
            "state": self.state,
            "lines": len(self.after.splitlines()),
            "bytes": len(self.after.encode()),
            "added": marks.count("+"),
            "removed": marks.count("-"),
        }

    def __str__(self) -> str:
        """Give the line that people read in a plan."""
        size = self.as_json()
        if self.state == "changed":
            return f"~ {self.name}  +{size['added']} −{size['removed']}"
        return f"+ {self.name}  {size['lines']} lines, {_bytes(size['bytes'])}, {self.state}"


def _bytes(count: int) -> str:
    return f"{count / 1000:.1f} kB" if count >= 1000 else f"{count} B"


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
