"""What code a service runs (C7)."""

from __future__ import annotations

from collections.abc import Iterator

from infra.model.release import REFERENCE, UNRESOLVED
from infra.plan.lint.document import ComposeService, Document
from infra.plan.lint.nodes import text
from infra.plan.lint.rule import Fault, Rule


def _images(document: Document) -> Iterator[Fault]:
    for service in document.services:
        if "build" not in service.keys:
            yield from _image(service)


def _image(service: ComposeService) -> Iterator[Fault]:
    node = service.keys.get("image")
    reference = text(node)
    place = (service.name, node or service.node)
    if reference.endswith(f"@{UNRESOLVED}"):
        yield Fault("nobody knows the digest of its image yet", *place, is_unknown=True)
    elif "$" in reference:
        yield Fault(f"the image is interpolated: {reference}", *place)
    elif not REFERENCE.fullmatch(reference):
        yield Fault(f"the image has no digest: {reference}" if reference else "there is no image", *place)
    elif ":latest@" in reference:
        yield Fault(f"the image is called latest: {reference}", *place)


RULES = (
    Rule(
        "C7",
        "images by digest, never latest, never interpolated",
        "take the digest from the release (--release FILE) or from the project's images file",
        _images,
    ),
)
