"""The tasks of a project, made from its registry: every service gets the same ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.collection import Collection

from tasks import service, shell, whole

if TYPE_CHECKING:
    from infra.model.service import Project

SHELLS = {"postgres": shell.postgres, "redis": shell.redis}


def collection_of(project: Project) -> Collection:
    """Give the namespace of a project: tasks for all of it, and a namespace for each service."""
    namespace = Collection(project.name)
    for make in whole.TASKS:
        namespace.add_task(make(project))
    for one in project.services:
        below = Collection(one.name)
        for make_one in service.TASKS:
            below.add_task(make_one(project, one.name))
        if one.name in SHELLS:
            below.add_task(SHELLS[one.name](project))
        namespace.add_collection(below)
    return namespace
