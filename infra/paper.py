"""Environments on paper: what each service would be sent, as texts; nothing is asked of any server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.choices import Wishes
from infra.model.environments import environment
from infra.plan.agent import policy_text
from infra.plan.compose import bundle_of
from infra.plan.roster import roster
from infra.scenes import scene_of

if TYPE_CHECKING:
    from infra.invocation import Command
    from infra.model.environment import Environment
    from infra.model.service import Project
    from infra.model.unit import Bundle
    from infra.plan.container_scene import ContainerScene

EVERY = ("local", "local_ci", "github_ci", "pr_47", "canary", "staging", "production")


@dataclass(frozen=True, slots=True)
class Paper:
    """What one service of one environment is sent, with what a lint has to know of the place."""

    environment: Environment
    service: str
    bundle: Bundle
    text: str
    env_text: str
    policy: str
    ingress: str
    data_root: str
    secrets_folder: str
    from_source: bool

    @property
    def files(self) -> dict[str, str]:
        """The files of this service by name, as `render` writes them."""
        agent = next((unit for unit in self.bundle.units if unit.name.endswith("-vault-agent")), None)
        shown = {file.name: file.text for file in agent.files} if agent else {}
        named = {name: shown[name] for name in ("vault-agent.hcl", "secrets.ctmpl") if name in shown}
        policy = {"vault-policy.hcl": self.policy} if self.policy else {}
        return {"compose.yaml": self.text, **named, **policy, "env": self.env_text}


def papers(
    this: Command,
    project: Project,
    names: Sequence[str],
    services: Sequence[str] = (),
    wishes: Wishes | None = None,
) -> list[Paper]:
    """Give what the named services (all without names) of these environments would be sent."""
    return [
        paper
        for name in names
        for paper in _of_scene(scene_of(this, project, environment(name), wishes or Wishes()), services)
    ]


def _of_scene(scene: ContainerScene, services: Sequence[str]) -> Iterator[Paper]:
    for service in roster(scene.project, scene.environment, scene.target):
        if not services or service.name in services:
            yield paper_of(bundle_of(service, scene), scene)


def paper_of(bundle: Bundle, scene: ContainerScene) -> Paper:
    """Give a bundle as paper."""
    has_agent = scene.has_agent(scene.project.service(bundle.service))
    place = bundle.service, scene.environment, scene.project.name, scene.vault_mount
    return Paper(
        environment=scene.environment,
        service=bundle.service,
        bundle=bundle,
        text=bundle.text,
        env_text=bundle.env,
        policy=policy_text(*place, scene.templates) if has_agent else "",
        ingress=scene.ingress,
        data_root=scene.data_root,
        secrets_folder=scene.secrets_folder,
        from_source=bool(scene.source),
    )
