"""One text is the whole bundle: files travel inside (C16), and it is small enough to be sent (C19)."""

from __future__ import annotations

from collections.abc import Iterator

from infra.plan.lint.composer import Node
from infra.plan.lint.document import ComposeService, Document
from infra.plan.lint.nodes import BLOCK, entries, items, text
from infra.plan.lint.rule import Fault, Rule

LARGEST = 90_000
_FROM_ELSEWHERE = ("file", "environment", "external", "template_driver")
_SIDE_FILES = ("env_file", "extends", "secrets")


def _inline(document: Document) -> Iterator[Fault]:
    configs = entries(document.top.get("configs"))
    for service in document.services:
        yield from _of_service(service, configs)
    for name, node in configs.items():
        yield from _of_config(name, node)
    for key in ("include", "secrets"):
        if key in document.top:
            yield Fault(f"{key} brings in files that the text does not hold", node=document.top[key])


def _of_service(service: ComposeService, configs: dict[str, Node]) -> Iterator[Fault]:
    found = items(service.keys.get("configs"))
    for node in found:
        name = text(node) or text(entries(node).get("source"))
        if name not in configs:
            yield Fault(f"its config {name!r} is not in the file", service.name, node)
    for key in _SIDE_FILES:
        if key in service.keys:
            yield Fault(f"{key} needs a file beside the text", service.name, service.keys[key])
    if service.is_agent and not found:
        yield Fault("the agent has no configuration in the text", service.name, service.node)


def _of_config(name: str, node: Node) -> Iterator[Fault]:
    found = entries(node)
    content = found.get("content")
    for key in _FROM_ELSEWHERE:
        if key in found:
            yield Fault(f"the config {name} comes from elsewhere: {key}", node=found[key])
    if content is None and not any(key in found for key in _FROM_ELSEWHERE):
        yield Fault(f"the config {name} has no content", node=node)
    if content is not None and (content.id != "scalar" or content.style not in (BLOCK, '"')):
        yield Fault(f"the content of the config {name} is neither a block nor quoted", node=content)


def _size(document: Document) -> Iterator[Fault]:
    sent = document.sent
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in (sent.text, sent.env))
    if size > LARGEST:
        yield Fault(f"compose text and env text are {size} bytes, {size - LARGEST} too many")


RULES = (
    Rule(
        "C16",
        "agent configuration and templates travel inline, as configs with content",
        "write configs: <name>: content: |",
        _inline,
    ),
    Rule(
        "C19",
        f"compose text and env text are at most {LARGEST} bytes",
        "shorten what is rendered, or split the service",
        _size,
    ),
)
