"""The template texts of this repository, by their path below `templates/`."""

from __future__ import annotations

from pathlib import Path

from infra.plan.templates import Templates


def load(root: Path) -> Templates:
    """Give all templates of a checkout."""
    folder = root / "templates"
    files = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return Templates({str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in files})
