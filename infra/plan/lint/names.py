"""How containers are called (C8)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from infra.plan.lint.document import Document
from infra.plan.lint.nodes import text
from infra.plan.lint.rule import Fault, Rule
from infra.plan.lint.sent import Sent

_FOREIGN = re.compile(r".*-(staging|canary|pr-[0-9]+)")


def prefixes(project: str) -> tuple[str, str]:
    """Give what names of a project begin with: deployed, and on a machine of one's own."""
    return f"{project}-", f"{project.replace('_', '-')}-"


def carries_suffix(name: str, suffix: str) -> bool:
    """Tell whether a name ends in this environment's suffix, or in nobody's where it has none."""
    return name.endswith(suffix) if suffix else not _FOREIGN.fullmatch(name)


def _names(document: Document) -> Iterator[Fault]:
    for service in document.services:
        node = service.keys.get("container_name")
        if node is None:
            yield Fault("container_name is missing", service.name, service.node)
        elif text(node) != service.name:
            yield Fault(f"container_name is {text(node)}, the key another", service.name, node)
        for name in dict.fromkeys((service.name, text(node))) if node else [service.name]:
            yield from (
                Fault(words, service.name, node or service.node) for words in _wrong(name, document.sent)
            )


def _wrong(name: str, sent: Sent) -> Iterator[str]:
    suffix = sent.environment.suffix
    if not carries_suffix(name, suffix):
        yield f"{name} does not end in {suffix}" if suffix else f"{name} has another environment's suffix"
    if not name.startswith(prefixes(sent.project)):
        yield f"{name} does not begin with {prefixes(sent.project)[0]}"


RULES = (
    Rule(
        "C8",
        "container_name and the service key are one name with the environment's suffix",
        "take both from the naming rules: <project>-<part><suffix>",
        _names,
    ),
)
