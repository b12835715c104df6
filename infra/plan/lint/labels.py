"""The labels by which running containers are recognised (C5, C6)."""

from __future__ import annotations

from collections.abc import Iterator

from infra.plan.lint.document import Document
from infra.plan.lint.mounted import shares_secrets
from infra.plan.lint.rule import Fault, Rule


def _ours(document: Document) -> Iterator[Fault]:
    sent = document.sent
    wanted = {
        "infra.project": sent.project,
        "infra.env": sent.environment.name,
        "infra.service": sent.service,
        "infra.release": None,
        "infra.bundle": None,
    }
    for service in document.services:
        node = service.keys.get("labels") or service.node
        for label, value in wanted.items():
            found = service.labels.get(label)
            if found is None:
                yield Fault(f"label {label} is missing", service.name, node)
            elif value is not None and found != value:
                yield Fault(f"label {label} is {found or 'empty'}, not {value}", service.name, node)


def _deploy(document: Document) -> Iterator[Fault]:
    for service in document.services:
        if "infra.deploy" not in service.labels and shares_secrets(service):
            node = service.keys.get("labels") or service.node
            yield Fault("it has the secrets, and label infra.deploy is missing", service.name, node)


RULES = (
    Rule(
        "C5",
        "labels infra.project, infra.env, infra.service, infra.release, infra.bundle on every service",
        "write the label; render takes its value from the environment and the release",
        _ours,
    ),
    Rule(
        "C6",
        "label infra.deploy on every service that renders or mounts secrets",
        'add the label "infra.deploy="; a deploy fills it in',
        _deploy,
    ),
)
