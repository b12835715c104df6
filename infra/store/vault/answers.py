"""What Vault answered, and the words for it when the answer is no."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.model import json_text

_CAPABILITIES = {"GET": "read", "LIST": "list", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; `body` is the JSON object that came, empty when none did. Its repr shows no values."""

    status: int
    body: Mapping[str, Any] = field(repr=False)
    location: str = ""

    @property
    def data(self) -> Mapping[str, Any]:
        """The object `data` of the body, empty when there is none."""
        found = self.body.get("data")
        return found if isinstance(found, dict) else {}

    @property
    def errors(self) -> tuple[str, ...]:
        """What Vault complains about, in its words."""
        found = self.body.get("errors")
        return tuple(map(str, found)) if isinstance(found, list) else ()

    @property
    def is_nothing(self) -> bool:
        """Tell whether Vault says that nothing is there: of the shapes of 404 the one without any word."""
        return self.status == 404 and set(self.body) == {"errors"} and not self.body["errors"]

    @property
    def is_sealed(self) -> bool:
        """Tell whether the server is sealed or not initialised: it says the same for both."""
        return self.status == 503 and any("sealed" in error for error in self.errors)

    def says(self, words: str) -> bool:
        """Tell whether one of the complaints holds these words."""
        return any(words in error for error in self.errors)


def answer_of(status: int, content: bytes, location: str = "") -> Answer | None:
    """Give the answer with its body read; None when the body is not what Vault writes.

    What gates in front of Vault say of themselves (redirects, 429, 5xx) is told by the status alone.
    """
    try:
        body = json_text.parse(content) if content.strip() else {}
    except ValueError:
        body = None
    if isinstance(body, dict):
        return Answer(status, body, location)
    is_gates = 300 <= status < 400 or status == 429 or status >= 500
    return Answer(status, {}, location) if is_gates else None


def needed(method: str) -> str:
    """Say which capability a call needs."""
    return _CAPABILITIES.get(method, "create or update")
