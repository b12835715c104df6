"""The proof that a process is ours: a code over its marks and its user, made with a key that nobody else has.

Marks are variables that anybody can set. What a process of another user shows is no proof either: the user is
part of the code, so that what was started as one unit and user is not taken for another one.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from typing import Protocol

from infra.model.secret import Secret

VARIABLE = "INFRA_PROOF"


class Key(Protocol):
    """Where the key is: read by who looks, made by who starts a process."""

    def read(self) -> Secret | None:
        """Give the key, None while there is none."""

    def make(self) -> Secret:
        """Give the key, made now where there is none."""


@dataclass(frozen=True, slots=True)
class Handed:
    """A key that the maker of a process handed over to it."""

    key: Secret

    def read(self) -> Secret | None:
        """Give the key."""
        return self.key

    def make(self) -> Secret:
        """Give the key."""
        return self.key


def proof_of(key: Secret, uid: int, *marks: str) -> str:
    """Give the proof that a process with these marks is started as this user."""
    text = json.dumps([uid, *marks])
    return hmac.digest(key.reveal().encode(), text.encode(), "sha256").hex()
