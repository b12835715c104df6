"""How a service tells that it works, and who waits for that (C20, C21, C24)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from infra.plan.lint.composer import Node
from infra.plan.lint.document import ComposeService, Document
from infra.plan.lint.nodes import entries, is_plain, text, texts
from infra.plan.lint.rule import Fault, Rule

LONGEST_INTERVAL = 10.0
LOOKUP, SHORTEST_LOOKUP = "INFRA_LOOKUP_SECONDS", 300
CONDITIONS = frozenset({"service_started", "service_healthy", "service_completed_successfully"})
_DURATION = re.compile(r"(?:[0-9]+(?:[.][0-9]+)?(?:h|m|s|ms|us|ns))+")
_PART = re.compile(r"([0-9.]+)(h|ms|us|ns|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_LOGIN = r"(?:[^\s/@]*@)?+"
_REMOTE = re.compile(
    rf"https?://{_LOGIN}(?!localhost\b|127\.|0\.0\.0\.0\b|\[::1?\])|\b(?:VAULT|BAO)_ADDR\b",
)


def seconds(written: str) -> float | None:
    """Give a duration as compose writes it in seconds, None for anything else."""
    if not _DURATION.fullmatch(written):
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(written))


def _health(document: Document) -> Iterator[Fault]:
    for service in document.services:
        if not service.is_job:
            node = service.keys.get("healthcheck")
            yield from (Fault(words, service.name, node or service.node) for words in _unclear(entries(node)))


def _unclear(check: dict[str, Node]) -> Iterator[str]:
    command = [word for word in texts(check.get("test")) if word]
    if not command or command[0] == "NONE" or is_plain(check.get("disable"), "true"):
        yield "there is no health check"
        return
    for key in ("interval", "timeout", "start_period"):
        if not seconds(text(check.get(key))):
            yield f"the health check's {key} is {text(check.get(key)) or 'missing'}"
    if not re.fullmatch("[1-9][0-9]*", text(check.get("retries"))):
        yield f"the health check's retries are {text(check.get('retries')) or 'missing'}"
    interval = seconds(text(check.get("interval")))
    if interval and interval > LONGEST_INTERVAL:
        yield f"the health check's interval is {interval:g} s, more than {LONGEST_INTERVAL:g} s"


def _needs(document: Document) -> Iterator[Fault]:
    for service in document.services:
        node = service.keys.get("depends_on")
        if node is not None and node.id != "mapping":
            yield Fault("depends_on has no condition", service.name, node)
        for need, found in entries(node).items():
            condition = text(entries(found).get("condition"))
            if condition not in CONDITIONS:
                words = f"its condition is {condition}" if condition else "there is no condition"
                yield Fault(f"depends_on {need}: {words}", service.name, found)


def _remote(document: Document) -> Iterator[Fault]:
    for service in document.services:
        found = service.environment.get(LOOKUP, "")
        if _asks_a_remote(service) and not (found.isdecimal() and int(found) >= SHORTEST_LOOKUP):
            node = service.keys.get("environment") or service.node
            yield Fault(f"its check asks a remote, and {LOOKUP} is {found or 'missing'}", service.name, node)


def _asks_a_remote(service: ComposeService) -> bool:
    test = entries(service.keys.get("healthcheck")).get("test")
    return service.is_agent or any(_REMOTE.search(word) for word in texts(test))


RULES = (
    Rule(
        "C20",
        "a health check with interval (at most 10 s), timeout, retries, start period; or a declared job",
        'write all four, or the label "infra.job=once" on what runs once',
        _health,
    ),
    Rule(
        "C21",
        "depends_on with a condition",
        'write "<service>": {condition: "service_healthy"}',
        _needs,
    ),
    Rule(
        "C24",
        "remote checks declare an interval not shorter than the failures that they watch",
        f'write "{LOOKUP}={SHORTEST_LOOKUP}" or more',
        _remote,
    ),
)
