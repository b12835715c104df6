"""Does an answer meet what its row expects? One pure check a kind; no search for words in texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from infra.model.answer import Answer, Category, NoAnswer
from infra.model.smoke import Expect
from infra.plan.health import classify

_DOCUMENT = re.compile(r"""\burl\s*:\s*(?P<quote>["'])(?P<address>[^"']+)(?P=quote)""")
_HTML = re.compile(r"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL)


class Asked(NamedTuple):
    """What an answer is compared with: the base URL and the expected commit."""

    base_url: str
    expected_sha: str | None


def answer_fault(expect: Expect, answer: Answer | NoAnswer, asked: Asked) -> str:
    """Give why the answer is not what is expected, empty when it is.

    `openapi` and `toggle` need further requests; what they say is up to who makes these.
    """
    if isinstance(answer, NoAnswer) or answer.refused_redirect:
        return str(answer)
    checks = (_CHECKS[kind](expect, answer, asked) for kind in expect.kinds if kind in _CHECKS)
    return next(filter(None, checks), "")


def openapi_address(page: Answer) -> str:
    """Give the address of the OpenAPI document as the page writes it, empty when it names none."""
    found = _DOCUMENT.search(page.text)
    return found["address"] if found else ""


def openapi_fault(document: Answer | NoAnswer) -> str:
    """Give why this is no OpenAPI document, empty when it is one."""
    if isinstance(document, NoAnswer) or document.status != 200:
        return f"OpenAPI document: {document}"
    said = document.json()
    return "" if isinstance(said, dict) and "openapi" in said else f"OpenAPI document: not one: {document}"


def _status(expect: Expect, answer: Answer, _asked: Asked) -> str:
    return "" if answer.status in expect.status else str(answer)


def _body(expect: Expect, answer: Answer, _asked: Asked) -> str:
    is_html = answer.content_type == "text/html" and _HTML.match(answer.text) is not None
    is_right = is_html if expect.body == "html" else answer.json() is not None
    return "" if is_right else f"not {str(expect.body).upper()}: {answer}"


def _health(_expect: Expect, answer: Answer, asked: Asked) -> str:
    category = classify(answer, asked.expected_sha, prefix_allowed=True)
    return "" if category is Category.OK else f"{category}: {answer}"


def _marker(expect: Expect, answer: Answer, _asked: Asked) -> str:
    return "" if expect.marker and expect.marker in answer.text else f"marker missing: {answer}"


def _dependencies(_expect: Expect, answer: Answer, _asked: Asked) -> str:
    said = answer.json()
    found = said.get("dependencies") if isinstance(said, dict) else None
    if not isinstance(found, dict) or not found:
        return f"no dependency listed: {answer}"
    bad = [f"{name}: {_state(entry)}" for name, entry in found.items() if not _is_met(entry)]
    return ", ".join(bad)


def _is_met(entry: Any) -> bool:
    is_optional = isinstance(entry, Mapping) and entry.get("required") is False
    return is_optional or _state(entry) == "ok"


def _state(entry: Any) -> str:
    return str(entry.get("status") if isinstance(entry, Mapping) else entry)


def _allow_origin(_expect: Expect, answer: Answer, asked: Asked) -> str:
    allowed = answer.headers.get("access-control-allow-origin")
    return "" if allowed == asked.base_url else f"allowed origin is {allowed or 'missing'}"


_CHECKS: dict[str, Callable[[Expect, Answer, Asked], str]] = {
    "status": _status,
    "body": _body,
    "health": _health,
    "marker": _marker,
    "dependencies": _dependencies,
    "allow_origin": _allow_origin,
}
