"""Where data lies on a host, and the proof that no two environments share a folder (environments.md 6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from infra.model.environments import environment
from infra.model.service import Project

ON_A_HOST = ("staging", "production")


def data_folder(root: str, project: str, service: str, suffix: str) -> str:
    """Give the host folder of a service's data in an environment of this suffix."""
    return f"{root}/{project}/{service}{suffix}"


def shared_folders(project: Project, roots: Mapping[str, str]) -> Iterator[str]:
    """Give a line for each two folders of which one is the other, or lies in it; roots are by environment."""
    folders = {
        f"{name} {service.name}": data_folder(root, project.name, service.name, environment(name).suffix)
        for name, root in roots.items()
        for service in project.services
        if any(part.container and part.container.data for part in service.parts)
    }
    for (one, here), (other, there) in combinations(folders.items(), 2):
        if f"{here}/".startswith(f"{there}/") or f"{there}/".startswith(f"{here}/"):
            yield f"{one} at {here} and {other} at {there}"
