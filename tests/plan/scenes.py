"""Scenes of every environment for tests: two domains, a known release, known secret versions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from finance_report import PROJECT
from infra.model.environments import environment
from infra.model.hosts import AppDomain, PlatformDomain
from infra.model.release import Image, Release
from infra.model.service import Project
from infra.plan.container_scene import ContainerScene
from infra.workspace import images, templates

ROOT = Path(__file__).resolve().parents[2]
COMMIT = "c" * 40
RELEASE = Release(
    "v1.2.3",
    COMMIT,
    images={
        name: Image(f"ghcr.io/acme/{name}", f"sha256:{'1' * 64}", "v1.2.3")
        for name in ("backend", "frontend")
    },
)
EVERY = ("local", "local_ci", "github_ci", "pr_47", "canary", "staging", "production")


def scene(name: str, project: Project = PROJECT, release: Release = RELEASE) -> ContainerScene:
    """Give the scene of an environment in which everything could be read."""
    found = environment(name)
    target = found.default_target if found.is_deployed else "docker"
    return ContainerScene(
        project=project,
        environment=found,
        target=target,
        templates=templates.load(ROOT),
        app_domain=AppDomain("app.test"),
        platform_domain=PlatformDomain("platform.test"),
        images=images.load(ROOT, project.images),
        registry="ghcr.io/acme",
        ingress_network="dokploy-network",
        data_root="/data",
        vault_mount="secret",
        agent_program="openbao",
        is_strict=False,
        telemetry="",
        release=release,
        versions={service.name: 3 for service in project.services},
        ports={} if found.is_deployed else {"router": 3000, "backend": 8000, "postgres": 5432},
        secrets_folder="" if found.has_vault else "/dev/shm/finance_report",
    )


def unread(name: str) -> ContainerScene:
    """Give the scene in which neither the release nor the secrets' versions are known."""
    return replace(scene(name), release=Release(), versions=None)
