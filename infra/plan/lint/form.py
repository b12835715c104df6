"""Whether a text is a compose file at all: without this no other rule means much."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from infra.plan.lint.composer import Node
from infra.plan.lint.document import Document, service_of
from infra.plan.lint.nodes import entries
from infra.plan.lint.rule import Fault, Rule

_Kinds = Mapping[str, tuple[str, ...]]
_LIST, _MAP, _TEXT = "a list", "a mapping", "a text"
_NAMES = {"sequence": _LIST, "mapping": _MAP, "scalar": _TEXT}
_TOP: _Kinds = dict.fromkeys(("configs", "volumes", "networks", "secrets"), (_MAP,))
_KINDS: _Kinds = {
    **dict.fromkeys(("environment", "labels", "networks", "depends_on"), (_LIST, _MAP)),
    **dict.fromkeys(("volumes", "configs", "ports", "security_opt", "group_add"), (_LIST,)),
    **dict.fromkeys(("healthcheck", "logging"), (_MAP,)),
    **dict.fromkeys(("command", "entrypoint", "tmpfs"), (_TEXT, _LIST)),
    **dict.fromkeys(("image", "container_name", "restart", "user", "init"), (_TEXT,)),
}


def _faults(document: Document) -> Iterator[Fault]:
    if document.unreadable or document.root is None:
        yield Fault(document.unreadable or "the text is empty")
    elif document.root.id != "mapping":
        yield Fault(f"the file is {_NAMES[document.root.id]}, not a mapping", node=document.root)
    elif not entries(document.top.get("services")):
        yield Fault("there is no mapping of services", node=document.top.get("services"))
    yield from _shapes(document)
    yield from _keys(document)


def _shapes(document: Document) -> Iterator[Fault]:
    for name, node in entries(document.top.get("services")).items():
        if node.id != "mapping":
            yield Fault(f"the service is {_said(node)}, not a mapping", name, node)
    yield from _unusual("", document.top, _TOP)
    for service in document.services:
        yield from _unusual(service.name, service.keys, _KINDS)


def _unusual(service: str, found: dict[str, Node], kinds: _Kinds) -> Iterator[Fault]:
    for key, node in found.items():
        if key in kinds and _NAMES[node.id] not in kinds[key]:
            yield Fault(f"{key} is {_said(node)}, not {' or '.join(kinds[key])}", service, node)


def _said(node: Node) -> str:
    is_empty = node.id == "scalar" and not node.style and node.value in {"", "~", "null"}
    return "empty" if is_empty else _NAMES[node.id]


def _keys(document: Document) -> Iterator[Fault]:
    for path, node in document.collections:
        for key in [key for key, _ in node.value if key.id != "scalar"] if node.id == "mapping" else []:
            yield Fault(f"a key is {_NAMES[key.id]}", service_of(path), key)


RULES = (
    Rule(
        "C0",
        "one YAML document with a mapping of services, each key of its usual kind",
        "mend what the text is rendered from",
        _faults,
    ),
)
