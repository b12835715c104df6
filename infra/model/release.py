"""What code runs: the images of one commit, by digest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.model.errors import BadInput

COMMIT = re.compile(r"[0-9a-f]{40}")
VERSION = re.compile(r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
REFERENCE = re.compile(r"[a-z0-9][a-z0-9._/:-]*@sha256:[0-9a-f]{64}")
UNRESOLVED = "sha256:<unresolved>"
KEYS = ("version", "commit", "infra_commit", "images")


@dataclass(frozen=True, slots=True)
class Image:
    """An image by digest; `tag` is what people call it, never what is pulled."""

    name: str
    digest: str
    tag: str = ""

    @property
    def reference(self) -> str:
        """The reference that is pulled."""
        return f"{self.name}@{self.digest}"

    @property
    def is_resolved(self) -> bool:
        """True when the digest is a real one."""
        return bool(DIGEST.fullmatch(self.digest))


@dataclass(frozen=True, slots=True)
class Release:
    """One commit of the application as images; `images` are by part. All fields are empty in no release."""

    version: str = ""
    commit: str = ""
    infra_commit: str = ""
    images: Mapping[str, Image] = field(default_factory=dict)

    def image(self, part: str, name: str) -> Image:
        """Give the image of a part, unresolved when this release does not know it."""
        return self.images.get(part) or Image(name, UNRESOLVED)

    @property
    def is_known(self) -> bool:
        """True when a release was given; without one nobody invents a digest."""
        return bool(self.commit)


def release_from_json(value: Any, place: str) -> Release:
    """Give the release that a file describes; BadInput says all that is wrong with it, and where."""
    faults = list(_faults(value))
    if faults:
        raise BadInput(
            f"{place}: {faults[0]}" if len(faults) == 1 else f"{place}: {len(faults)} things are wrong",
            evidence=tuple(faults),
            next_step="write it as: "
            '{"version": "v1.2.3", "commit": "<40 hex digits>", "images": {"backend": "<image>@sha256:..."}}',
        )
    images = {part: _image(str(text), value.get("version", "")) for part, text in value["images"].items()}
    return Release(value.get("version", ""), value["commit"], value.get("infra_commit", ""), images)


def _image(reference: str, tag: str) -> Image:
    name, _, digest = reference.partition("@")
    return Image(name, digest, tag)


def _faults(value: Any) -> list[str]:
    if not isinstance(value, dict):
        return ["a JSON object is expected"]
    faults = [f"{key}: is not known here" for key in value if key not in KEYS]
    commits = [key for key in ("commit", "infra_commit") if key in value or key == "commit"]
    faults += [
        f"{key}: 40 hex digits are expected"
        for key in commits
        if not (isinstance(value.get(key), str) and COMMIT.fullmatch(value[key]))
    ]
    version = value.get("version", "v0.0.0")
    if not (isinstance(version, str) and VERSION.fullmatch(version)):
        faults.append("version: vX.Y.Z is expected, without leading zeros")
    images = value.get("images")
    if not isinstance(images, dict) or not images:
        return [*faults, "images: an object of part and reference is expected"]
    return faults + [
        f"images/{part}: <image>@sha256:<64 hex digits> is expected, never a tag"
        for part, text in images.items()
        if not (isinstance(text, str) and REFERENCE.fullmatch(text))
    ]
