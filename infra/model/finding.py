"""What a lint finds in a rendered file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that a file breaks; `service` is a key of the compose file, empty for the file as a whole.

    `is_unknown` tells that nothing is broken yet, but nobody can say that the rule is kept.
    """

    rule: str
    file: str
    service: str
    message: str
    fix: str
    is_unknown: bool = False

    def __str__(self) -> str:
        place = f"{self.file} {self.service}".rstrip()
        return f"{self.rule} {place}: {self.message} → {self.fix}"
