"""The template texts of this repository, by their path below `templates/`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from infra.plan.templates import Templates
from infra.workspace.template_cache import template_cache


@cache
def load(root: Path) -> Templates:
    """Give all templates of a checkout, as they stood at the first call."""
    folder = root / "templates"
    files = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    texts = {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in files}
    return Templates(texts, template_cache)
