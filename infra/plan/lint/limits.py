"""What every service has around it: init, limits, logging, its policy of restarts (C1 to C4)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from infra.plan.lint.document import ComposeService, Document
from infra.plan.lint.nodes import entries, is_plain, text
from infra.plan.lint.rule import Fault, Rule

_MEMORY = re.compile(r"0*[1-9][0-9]*([.][0-9]+)?([bkmgBKMG][bB]?)?")
_COUNT = re.compile(r"[1-9][0-9]*")
_LIMITS = {"mem_limit": _MEMORY, "cpu_shares": _COUNT, "pids_limit": _COUNT}
_LOG_OPTIONS = {"max-size": "5m", "max-file": "2"}


def _init(document: Document) -> Iterator[Fault]:
    for service in document.services:
        found = service.keys.get("init")
        if not is_plain(found, "true"):
            yield Fault(f"init is {text(found) or 'missing'}", service.name, found or service.node)


def _limits(document: Document) -> Iterator[Fault]:
    for service in document.services:
        for key, form in _LIMITS.items():
            found = service.keys.get(key)
            if not form.fullmatch(text(found)):
                words = f"{key} is no limit: {text(found)!r}" if found else f"{key} is missing"
                yield Fault(words, service.name, found or service.node)


def _logging(document: Document) -> Iterator[Fault]:
    for service in document.services:
        logging = entries(service.keys.get("logging"))
        options = entries(logging.get("options"))
        wanted = {
            "driver": ("json-file", logging),
            **{key: (value, options) for key, value in _LOG_OPTIONS.items()},
        }
        for key, (value, found) in wanted.items():
            node = found.get(key)
            is_number = value.isdigit() and is_plain(node, value)
            if text(node) != value or is_number:
                words = f"logging {key} is {'a bare number' if is_number else text(node) or 'missing'}"
                yield Fault(words, service.name, node or service.keys.get("logging") or service.node)


def _restart(document: Document) -> Iterator[Fault]:
    for service in document.services:
        found, allowed = service.keys.get("restart"), _allowed(service, document)
        if text(found) not in allowed:
            words = f"restart is {text(found) or 'missing'}, not {' or '.join(allowed)}"
            yield Fault(words, service.name, found or service.node)


def _allowed(service: ComposeService, document: Document) -> tuple[str, ...]:
    environment = document.sent.environment
    if service.is_job or environment.is_test:
        return ("no",)
    return ("always",) if environment.is_deployed else ("always", "no")


RULES = (
    Rule("C1", "init: true on every service", "write init: true", _init),
    Rule(
        "C2",
        "mem_limit, cpu_shares and pids_limit on every service",
        "declare the part's limits above zero",
        _limits,
    ),
    Rule(
        "C3",
        'logging: json-file, max-size: "5m", max-file: "2"',
        'write driver: "json-file" and options: {max-size: "5m", max-file: "2"}',
        _logging,
    ),
    Rule(
        "C4",
        'restart: "always" deployed, "no" in tests and for what runs once',
        'write restart: "always", or "no" for tests and jobs',
        _restart,
    ),
)
