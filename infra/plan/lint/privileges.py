"""What would let a container out of its box (C23)."""

from __future__ import annotations

from collections.abc import Iterator

from infra.plan.lint.composer import Node
from infra.plan.lint.document import ComposeService, Document
from infra.plan.lint.mounted import mounts
from infra.plan.lint.networks import joined
from infra.plan.lint.nodes import is_plain, texts
from infra.plan.lint.places import SOCKETS
from infra.plan.lint.rule import Fault, Rule

_SET = frozenset({"no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"})


def _privileges(document: Document) -> Iterator[Fault]:
    for service in document.services:
        yield from (Fault(words, service.name, node) for words, node in _of(service, document))
    if "name" in document.top:
        yield Fault("the project's name is overridden", node=document.top["name"])


def _of(service: ComposeService, document: Document) -> Iterator[tuple[str, Node]]:
    privileged = service.keys.get("privileged")
    if privileged is not None and not is_plain(privileged, "false"):
        yield "it is privileged", privileged
    for name, node in joined(service, document):
        if name == "host":
            yield "it shares the host's network", node
    for mount, node in mounts(service):
        if mount.source.endswith(SOCKETS):
            yield f"it has the engine's socket {mount.source}", node
    options = texts(service.keys.get("security_opt"))
    said = [option for option in options if option.startswith("no-new-privileges")]
    if not said or not set(said) <= _SET:
        yield "no-new-privileges is not set", service.keys.get("security_opt") or service.node


RULES = (
    Rule(
        "C23",
        "no privileged, host network, engine's socket or name of the project; no-new-privileges set",
        'drop it, and write security_opt: ["no-new-privileges:true"]',
        _privileges,
    ),
)
