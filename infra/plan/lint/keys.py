"""No secret on its way (C22): neither a value, nor a key that would hold one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from infra.model.env_text import parse
from infra.plan.lint.document import Document
from infra.plan.lint.nodes import entries, pairs
from infra.plan.lint.rule import Fault, Rule

BOOTSTRAP_KEY, BOOTSTRAP_VALUE = "VAULT_WRAPPED_SECRET_ID", "${VAULT_WRAPPED_SECRET_ID:-}"
_SECRET_KEY = re.compile(r".*TOKEN|.*SECRET.*|.*PASSWORD|.*_KEY", re.IGNORECASE)
# Each form with a word that has to be there: most texts are done with after that.
_SECRET_VALUES = {
    "PRIVATE KEY": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "hv": re.compile(r"\bhv[sbr]\.[A-Za-z0-9_-]{20,}"),
    "gh": re.compile(r"\b(?:gh[pousr]|github_pat)_[A-Za-z0-9_]{20,}"),
    "AKIA": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    "://": re.compile(r"://[^\s/:@$%{}<>'\"]*:[^\s/:@$%{}<>'\"]+@"),
}


def _secrets(document: Document) -> Iterator[Fault]:
    yield from _keys(document)
    for one in document.scalars:
        if _is_secret(one.node.value):
            yield Fault(f"{'/'.join(one.path)} holds what looks like a secret", one.service, one.node)
    for key, value in parse(document.sent.env).items():
        if _SECRET_KEY.fullmatch(key) and key != BOOTSTRAP_KEY:
            yield Fault(f"{key} in the env text looks like a secret")
        if _is_secret(value):
            yield Fault(f"{key} in the env text holds what looks like a secret")


def _is_secret(value: str) -> bool:
    return any(form.search(value) for word, form in _SECRET_VALUES.items() if word in value)


def _keys(document: Document) -> Iterator[Fault]:
    for service in document.services:
        arguments = entries(service.keys.get("build")).get("args")
        for place in (service.keys.get("environment"), service.keys.get("labels"), arguments):
            for key, value, node in pairs(place):
                if key == BOOTSTRAP_KEY and value != BOOTSTRAP_VALUE:
                    yield Fault(f"{key} holds a value", service.name, node)
                elif _SECRET_KEY.fullmatch(key) and key != BOOTSTRAP_KEY:
                    yield Fault(f"{key} looks like a secret", service.name, node)


RULES = (
    Rule(
        "C22",
        f"no secret value, and no key that looks like a secret but {BOOTSTRAP_KEY}",
        "declare it as a secret of the service: the agent brings it as a file",
        _secrets,
    ),
)
