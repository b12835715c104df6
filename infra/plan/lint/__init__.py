"""The rules that every rendered compose text keeps before it is sent (C1 to C25)."""

from __future__ import annotations

from collections.abc import Iterator

from infra.model.finding import Finding
from infra.plan.lint import (
    checks,
    form,
    images,
    inline,
    interpolation,
    keys,
    labels,
    limits,
    names,
    networks,
    places,
    privileges,
    writing,
)
from infra.plan.lint.document import Document, read
from infra.plan.lint.rule import Rule
from infra.plan.lint.sent import Sent

_GROUPS = (
    *(checks, form, images, inline, interpolation, keys, labels, limits),
    *(names, networks, places, privileges, writing),
)
RULES: tuple[Rule, ...] = tuple(
    sorted((rule for group in _GROUPS for rule in group.RULES), key=lambda rule: int(rule.id[1:]))
)


def lint(sent: Sent) -> list[Finding]:
    """Give everything that is wrong with a text, by rule and line; whatever the text is, nothing is raised.

    C0 says that it is no compose file: then the other rules saw only what could be read.
    """
    document = read(sent)
    return [finding for rule in RULES for finding in _findings(rule, document)]


def _findings(rule: Rule, document: Document) -> Iterator[Finding]:
    faults = sorted(rule.find(document), key=lambda fault: fault.node.line if fault.node else 0)
    for fault in faults:
        yield Finding(
            rule=rule.id,
            file=document.sent.file,
            service=fault.service,
            message=fault.message,
            fix=rule.fix,
            is_unknown=fault.is_unknown,
        )
