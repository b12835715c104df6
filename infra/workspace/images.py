"""The project's images file: third-party images by digest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from infra.model import yaml_text
from infra.model.errors import BadInput
from infra.model.release import Image

KEYS = {"image", "digest", "tag"}


def load(root: Path, name: str) -> dict[str, Image]:
    """Give the images by name; BadInput names the entry that is not an image by digest."""
    try:
        found = yaml_text.parse((root / name).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise BadInput(f"{name}: {yaml_text.words(error)}", next_step=f"mend {name}") from error
    if not isinstance(found, dict):
        raise BadInput(f"{name}: a mapping of names to images is expected", next_step=f"mend {name}")
    return {str(key): _image(name, str(key), value) for key, value in found.items()}


def _image(file: str, key: str, value: Any) -> Image:
    if not isinstance(value, dict) or set(value) != KEYS:
        words = f"{file}: {key}: the keys image, digest and tag are expected"
        raise BadInput(words, next_step=f"mend {file}")
    image = Image(str(value["image"]), str(value["digest"]), str(value["tag"]))
    if not image.is_resolved or image.tag == "latest":
        raise BadInput(
            f"{file}: {key}: a digest sha256:<64 hex digits> and a tag other than latest are expected",
            next_step=f"mend {file}",
        )
    return image
