"""Which settings were found valid before, so that a no-op does not pay for pydantic again."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from infra.workspace.cache import cache_folder

_RULES = Path(__file__).parents[1] / "model" / "settings.py"


def is_known(text: str) -> bool:
    """Tell whether exactly this text was valid by the rules as they are now."""
    return _stamp(text).exists()


def remember(text: str) -> None:
    """Note that this text is valid; where nothing can be written it is validated again next time."""
    stamp = _stamp(text)
    with suppress(OSError):
        stamp.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        stamp.touch()


def _stamp(text: str) -> Path:
    both = text.encode() + b"\0" + _RULES.read_bytes()
    return cache_folder("settings") / sha256(both).hexdigest()[:32]
