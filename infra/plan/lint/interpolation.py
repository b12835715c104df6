"""What compose would fill in (C14, C15)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from infra.model.env_text import parse
from infra.plan.lint.document import Document, Scalar
from infra.plan.lint.rule import Fault, Rule

BOOTSTRAP = ("${VAULT_ADDR:?}", "${VAULT_ROLE_ID:?}", "${VAULT_WRAPPED_SECRET_ID:-}")
# The platform and people's machines set these on their own: what comes in is not what was planned.
SET_BY_OTHERS = frozenset(
    {"DATABASE_URL", "PORT", "NODE_ENV", "APP_NAME", "COMPOSE_PROJECT_NAME", "DOCKER_CONFIG"}
)
_DOLLAR = re.compile(r"\$\$|\$\{VAULT_(?:ADDR:\?|ROLE_ID:\?|WRAPPED_SECRET_ID:-)\}|\$\{?(?P<name>\w*)")


def _dollars(document: Document) -> Iterator[tuple[Scalar, str, str]]:
    """Give each dollar that compose would act upon, and the name behind it; C7 looks after images."""
    for one in document.scalars:
        if "$" not in one.node.value or one.is_key or (one.service and one.path[2:] == ("image",)):
            continue
        for found in _DOLLAR.finditer(one.node.value):
            if found["name"] is not None:
                yield one, found[0], found["name"]


def _literal(document: Document) -> Iterator[Fault]:
    for one, written, name in _dollars(document):
        if name not in SET_BY_OTHERS:
            yield Fault(f"{written} in {'/'.join(one.path)} would be filled in", one.service, one.node)


def _foreign(document: Document) -> Iterator[Fault]:
    for one, written, name in _dollars(document):
        if name in SET_BY_OTHERS:
            yield Fault(f"{written} in {'/'.join(one.path)} is set by others", one.service, one.node)
    for key in parse(document.sent.env):
        if key in SET_BY_OTHERS:
            yield Fault(f"the env text sets {key}")


RULES = (
    Rule(
        "C14",
        f"a literal $ is $$; only {', '.join(BOOTSTRAP)} stay interpolated",
        "write $$ for a dollar, and put values in when the text is rendered",
        _literal,
    ),
    Rule(
        "C15",
        f"no reliance on {', '.join(sorted(SET_BY_OTHERS))} of the platform's environment",
        "write the value itself, under a name that nobody else sets",
        _foreign,
    ),
)
