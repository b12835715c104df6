"""What came back from one HTTP request: an answer, or the stage at which none came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from infra.model import json_text
from infra.model.visible import visible

_SHOWN = 160


class Category(StrEnum):
    """What one look at a health address says (spec: deploy.md 6); only `ok` is good."""

    OK = "ok"
    DNS = "dns"
    TLS = "tls"
    CONNECT = "connect"
    TIMEOUT = "timeout"
    HTTP_404 = "http_404"
    HTTP_5XX = "http_5xx"
    HTTP_OTHER = "http_other"
    UNHEALTHY = "unhealthy"
    WRONG_VERSION = "wrong_version"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer: names of headers in lower case, `ms` from the start to the last byte read.

    `url` is where the answer came from after redirects. `refused_redirect` is not empty when the answer
    is a redirect that was not followed, and says why: `redirect_other_host`, `redirect_downgrade` or
    `redirect_loop`.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    ms: float
    url: str
    refused_redirect: str = ""

    @property
    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 are replaced."""
        return self.body.decode("utf-8", "replace")

    @property
    def content_type(self) -> str:
        """The media type in lower case without parameters, empty when none was sent."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def json(self) -> Any:
        """Give the JSON object or list of the body; None when the body is anything else."""
        try:
            value = json_text.parse(self.body)
        except ValueError:
            return None
        return value if isinstance(value, dict | list) else None

    def __str__(self) -> str:
        """Give one short printable line: status, media type, the beginning of the body or the redirect."""
        if self.refused_redirect:
            return f"{self.status} {self.refused_redirect} to {_printable(self.headers.get('location', ''))}"
        return " ".join(filter(None, (str(self.status), self.content_type, _printable(self.text))))


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """No whole answer came. `category` is the stage: `dns`, `tls`, `connect` or `timeout`."""

    category: Category
    detail: str
    ms: float
    url: str

    def __str__(self) -> str:
        """Give one short printable line: category and cause."""
        return f"{self.category}: {_printable(self.detail)}"


def _printable(text: str) -> str:
    """Give the beginning of a text on one line, without anything that a terminal would act on."""
    line = " ".join(text[: 2 * _SHOWN].split())
    shown = visible(line)
    return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"
