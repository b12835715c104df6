"""Who reaches a container: networks and published ports (C9, C10), and the host's own network."""

from __future__ import annotations

from collections.abc import Iterator

from infra.plan.lint.composer import Node
from infra.plan.lint.document import ComposeService, Document
from infra.plan.lint.names import prefixes
from infra.plan.lint.nodes import entries, items, text
from infra.plan.lint.rule import Fault, Rule
from infra.plan.lint.sent import Sent

LOOPBACK = "127.0.0.1"


def joined(service: ComposeService, document: Document) -> Iterator[tuple[str, Node]]:
    """Give the real names of the networks that a service joins, with their nodes."""
    mode, node = service.keys.get("network_mode"), service.keys.get("networks")
    if mode is not None:
        yield text(mode), mode
        return
    keys = [(text(one), one) for one in items(node)] or list(entries(node).items())
    declared = entries(document.top.get("networks"))
    for key, place in keys or [("default", service.node)]:
        yield _name(key, declared.get(key)), place


def _name(key: str, node: Node | None) -> str:
    found = entries(node)
    return text(found.get("name")) or text(entries(found.get("external")).get("name")) or key


def _ingress(document: Document) -> Iterator[Fault]:
    sent = document.sent
    for service in document.services:
        for name, node in joined(service, document):
            if name == sent.ingress and not _is_routed(service.name, sent):
                yield Fault(f"it joins the ingress network {name}", service.name, node)


def _is_routed(name: str, sent: Sent) -> bool:
    """Tell whether this is a routed part; a suffix that is missing is another rule's fault."""
    bare = name.removesuffix(sent.environment.suffix)
    return any(bare == f"{prefix}{part}" for prefix in prefixes(sent.project) for part in sent.routed)


def _ports(document: Document) -> Iterator[Fault]:
    for service in document.services:
        for node in items(service.keys.get("ports")):
            if document.sent.environment.is_deployed:
                yield Fault(f"port {_written(node)} is published", service.name, node)
            elif not _is_on_loopback(node):
                yield Fault(f"port {_written(node)} is published beyond {LOOPBACK}", service.name, node)


def _written(node: Node) -> str:
    found = entries(node)
    return text(node) or ":".join(text(found.get(key)) or "?" for key in ("published", "target"))


def _is_on_loopback(node: Node) -> bool:
    return text(node).startswith(f"{LOOPBACK}:") or text(entries(node).get("host_ip")) == LOOPBACK


RULES = (
    Rule(
        "C9",
        "only the parts that are routed join the ingress network",
        'write networks: ["internal"]',
        _ingress,
    ),
    Rule(
        "C10",
        f"no published port where images are deployed, and only on {LOOPBACK} elsewhere",
        f"drop ports; on a machine of one's own write {LOOPBACK}:<port>:<port>",
        _ports,
    ),
)
