"""Where the smoke profiles lie: `smoke.yaml` in the folder of each project."""

from __future__ import annotations

from pathlib import Path

from infra.model.errors import BadInput
from infra.model.smoke import Profile
from infra.plan.smoke_profile import parse_profile

FILE = "smoke.yaml"


def load_profile(name: str, root: Path) -> Profile:
    """Give the profile of that project below `root`; BadInput for an unknown name or a faulty file."""
    files = {file.parent.name: file for file in sorted(root.glob(f"*/{FILE}"))}
    if name not in files:
        raise BadInput(f"no smoke profile {name!r}; expected one of {', '.join(files) or '(none)'}")
    return parse_profile(files[name].read_text(encoding="utf-8"), f"{name}/{FILE}")
